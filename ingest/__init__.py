"""How anything comes in: the write side."""
