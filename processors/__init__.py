"""What it means: agents from samples to results."""
