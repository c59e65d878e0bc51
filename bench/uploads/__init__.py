"""Many reports sent at once, with the object store away for a while, and what is left of each."""
