"""Measured claims, all reproducible."""
