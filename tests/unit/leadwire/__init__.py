"""leadwire/ without a server."""
