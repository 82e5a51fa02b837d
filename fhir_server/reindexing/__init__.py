"""Indexing what is stored by search parameters that came later: a job in the background that any process can go on with."""
