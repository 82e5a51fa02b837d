"""Several clients at once."""
