"""Recordings in files, one format each, to sources of blocks."""
