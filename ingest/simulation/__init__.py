"""How the hearts of virtual patients beat: waves to strips."""
