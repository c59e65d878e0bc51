"""The gateway's write routes on a real database and a real broker, up and away."""
