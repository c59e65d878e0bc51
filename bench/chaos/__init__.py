"""The failure bench: what is left of a stream when its servers are killed, cut off and filled up."""
