"""The pure signal engine: blocks and state in, results and state out."""
