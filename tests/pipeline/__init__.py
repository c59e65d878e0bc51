"""The whole path on real servers: one suite for the embedded broker and for Apache Kafka."""
