"""Real servers for the test tiers: Apache Kafka, TimescaleDB, MinIO and Chromium."""
