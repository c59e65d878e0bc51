"""The failure bench's pure parts."""
