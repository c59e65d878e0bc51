"""storage/ without a server."""
