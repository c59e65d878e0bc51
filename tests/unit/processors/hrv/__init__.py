"""Heart rate variability, pure."""
