"""Open libraries, each in the role it was written for, through the scorer our own engine goes through."""
