"""The bench of uploads: its pure parts."""
