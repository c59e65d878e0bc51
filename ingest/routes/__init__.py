"""The gateway's routes, one noun each."""
