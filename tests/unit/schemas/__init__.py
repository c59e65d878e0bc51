"""What flows, alone."""
