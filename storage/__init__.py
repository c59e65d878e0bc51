"""Where it rests: PostgreSQL, objects and the cache; the only place for their drivers."""
