"""Training of the network that tells the classes of beats."""
