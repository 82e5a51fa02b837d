"""Searches: by each kind of parameter, with what can be asked of their results."""
