"""The measuring of the whole path measures what it says."""
