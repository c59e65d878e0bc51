"""The benches measure what they say they measure."""
