"""Codes, tokens and what is issued for them."""
