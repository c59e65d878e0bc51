"""Training of the network that tells atrial fibrillation (processors/ecg/atrial.py)."""
