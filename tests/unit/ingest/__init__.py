"""The room where everything comes in."""
