"""How the weights of the beat detector were trained."""
