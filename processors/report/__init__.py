"""A report on paper: what it says, and how it is drawn."""
