"""The read API's routes, one noun each."""
