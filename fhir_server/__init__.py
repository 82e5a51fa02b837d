"""The server: routes, negotiation, interactions, the store, loading, the command line."""
