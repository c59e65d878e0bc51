"""Pure tests: no server, no clock."""
