"""How well beats and waveform boundaries are found, against annotated databases."""
