"""`make bench-store`: what the store takes in, how small it keeps it, and how fast it gives it back."""
