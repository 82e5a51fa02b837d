"""OAuth 2, OpenID Connect and SMART on FHIR: clients, users, grants, tokens, scopes and pages.

It knows nothing of how resources are stored.
"""
