"""The dashboard: one page, plain ES modules and canvas, served as it lies here."""
