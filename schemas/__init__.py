"""What flows: the nouns of Leadwire, their wire contract and the settings. Imports nothing of ours."""
