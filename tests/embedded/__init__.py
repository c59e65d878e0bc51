"""The embedded stack and the demo, as a user starts them."""
