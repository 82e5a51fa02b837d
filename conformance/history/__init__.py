"""Histories: of a resource, of a type and of the whole system."""
