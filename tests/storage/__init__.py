"""storage/ on real servers: PostgreSQL and TimescaleDB, a folder and S3; one suite for each pair."""
