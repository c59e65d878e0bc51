"""How it is served: the read side."""
