"""The schema, one forward-only step per file; NAME.timescale.sql and NAME.plain.sql are one step in two dialects."""
