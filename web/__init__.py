"""How both HTTP applications speak: problems, callers, health and headers."""
