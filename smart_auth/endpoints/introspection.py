"""The introspection endpoint: what a token stands for, told to those who may know.

https://www.rfc-editor.org/rfc/rfc7662
https://hl7.org/fhir/smart-app-launch/STU2.2/token-introspection.html

Who asks authenticates as a confidential client, or by an access token of its own as SMART wants it. A client may ask
about its own tokens, a resource server about every token. Nobody is told about refresh tokens.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc7662 import IntrospectionEndpoint  # type: ignore[import-untyped]

from smart_auth.clients.authentication import CONFIDENTIAL_METHODS
from smart_auth.errors import OAuthError, invalid_request
from smart_auth.scopes import FHIR_USER
from smart_auth.services import AuthServices
from smart_auth.tokens.access import LiveAccess, bearer_token, live_access
from smart_auth.tokens.id_token import fhir_user_url
from smart_auth.tokens.launch_context import context_members
from smart_auth.tokens.registered_client import RegisteredClient

BEARER = "bearer"


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    """See the module. Authlib's own knows only client authentication."""

    CLIENT_AUTH_METHODS = sorted(CONFIDENTIAL_METHODS)

    @property
    def services(self) -> AuthServices:
        services: AuthServices = self.server.services
        return services

    def authenticate_endpoint_client(self, request: Any) -> RegisteredClient:
        """Who asks. Raises OAuthError: 401 with the challenge that fits."""
        text = bearer_token(request.authorization)
        if text is None:
            client: RegisteredClient = super().authenticate_endpoint_client(request)
            return client
        if "client_secret" in request.form or "client_assertion" in request.form:
            raise invalid_request("The request has more than one client credential.")
        live = live_access(self.services, text)
        client_of_token = None if live is None else self.services.store.clients.find(live.access.client_id)
        if client_of_token is None:
            description = "The access token is unknown, expired or revoked."
            raise OAuthError("invalid_token", description, 401, 'Bearer realm="oauth", error="invalid_token"')
        return RegisteredClient(client_of_token, BEARER)

    def check_params(self, request: Any, client: RegisteredClient) -> None:
        """A hint that is not known is no error."""
        if "token" not in request.form:
            raise invalid_request("The token is missing.")

    def query_token(self, token_string: str, token_type_hint: str | None) -> LiveAccess | None:
        return live_access(self.services, token_string)

    def check_permission(self, token: LiveAccess, client: RegisteredClient, request: Any) -> bool:
        """Whether the caller may know; if not, it is told that the token is not active, as if there were none."""
        return client.client.may_introspect or token.access.client_id == client.client_id

    def create_introspection_payload(self, token: LiveAccess | None) -> dict[str, Any]:
        """The members of the answer."""
        if token is None:
            return {"active": False}
        settings, access = self.services.settings, token.access
        payload: dict[str, Any] = {
            "active": True,
            "scope": access.scope,
            "client_id": access.client_id,
            "token_type": "Bearer",
            "exp": access.expires_at // 1000,
            "iat": token.issued_at // 1000,
            "iss": settings.issuer,
            "aud": settings.fhir_base,
            **context_members(access.context, settings),
        }
        if access.sub is not None:
            payload["sub"] = access.sub
        if access.fhir_user is not None and FHIR_USER in access.scope.split(" "):
            payload["fhirUser"] = fhir_user_url(self.services, access.fhir_user)
        return payload
