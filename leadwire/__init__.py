"""The front door: wires everything; nobody imports it."""
