"""How fast files go to the object store that the settings mean, and come back."""
