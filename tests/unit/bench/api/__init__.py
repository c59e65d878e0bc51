"""The API bench."""
