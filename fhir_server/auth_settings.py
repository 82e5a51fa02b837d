"""What the authorization server is told, taken from the settings of the server."""

from __future__ import annotations

from fhir_server.settings import Settings
from smart_auth.settings import AuthSettings


def auth_settings(settings: Settings) -> AuthSettings | None:
    """The settings of the authorization server; None where it is off."""
    return make_auth_settings(settings) if settings.auth else None


def make_auth_settings(settings: Settings) -> AuthSettings:
    """The settings of the authorization server, whether requests need a token or not."""
    return AuthSettings(
        issuer=settings.base_url,
        fhir_base=settings.base_url,
        allow_registration=settings.client_registration,
        # Where everything is on this machine, so may be the app that is being developed.
        allow_loopback_jwks=not settings.is_exposed,
        allow_demo_users="demo-users" in settings.allow_insecure,
        allow_http="http" in settings.allow_insecure or not settings.auth,
    )
