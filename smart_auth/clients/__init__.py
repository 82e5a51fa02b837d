"""Clients: how they are registered, and how they prove who they are."""
