"""Training of the network that tells ventricular tachycardia, flutter and fibrillation; see docs/ventricular.md."""
