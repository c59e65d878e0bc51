"""The nouns, their wire contract and the settings."""
