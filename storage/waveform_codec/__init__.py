"""Codec 2 of waveforms at rest: predicted, and what the prediction missed written by tANS; docs/waveform-codec.md."""
