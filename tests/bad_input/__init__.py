"""Bad input against a running Leadwire: a clear answer, and nothing bad in the store."""
