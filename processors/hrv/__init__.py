"""Heart rate variability: five minutes of stored beats to figures, in the background."""
