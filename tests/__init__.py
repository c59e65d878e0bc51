"""Promises, mirrored to the tree."""
