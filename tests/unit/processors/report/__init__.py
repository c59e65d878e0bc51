"""The report, pure."""
