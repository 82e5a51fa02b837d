"""OAuth 2, OpenID Connect and SMART on FHIR. Empty until authorization is built; it will not know of storage."""
