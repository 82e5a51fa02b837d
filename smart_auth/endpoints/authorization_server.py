"""Authlib's authorization server with our grants, our client authentication and our two token endpoints.

Authlib dispatches by grant type and endpoint and gives the order of the checks; what is checked is ours (see docs/adr).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer as _AuthorizationServer  # type: ignore[import-untyped]

from smart_auth.clients.authentication import authenticate
from smart_auth.endpoints.form import FormRequest
from smart_auth.endpoints.introspection import Introspection
from smart_auth.endpoints.revocation import Revocation
from smart_auth.services import AuthServices
from smart_auth.tokens.backend_grant import BackendGrant
from smart_auth.tokens.code_grant import CodeGrant, ProofKey
from smart_auth.tokens.refresh_grant import RefreshGrant
from smart_auth.tokens.registered_client import RegisteredClient

Result = tuple[int, dict[str, Any], list[tuple[str, str]]]


class AuthorizationServer(_AuthorizationServer):  # type: ignore[misc]
    """One a process. Its answers are (status, members of the JSON object, headers)."""

    def __init__(self, services: AuthServices) -> None:
        super().__init__()
        self.services = services
        self.register_grant(CodeGrant, [ProofKey()])
        self.register_grant(RefreshGrant)
        self.register_grant(BackendGrant)
        self.register_endpoint(Revocation)
        self.register_endpoint(Introspection)

    def authenticate_client(
        self, request: FormRequest, methods: Collection[str], endpoint: str = "token"
    ) -> RegisteredClient:
        """The client of a request, by one of the methods. Raises OAuthError."""
        settings = self.services.settings
        audience = {
            "revocation": settings.revocation_endpoint,
            "introspection": settings.introspection_endpoint,
        }.get(endpoint)
        found = authenticate(self.services, request.form, request.authorization, frozenset(methods), audience)
        request.auth_method = found.method
        return RegisteredClient(found.client, found.method)

    def create_oauth2_request(self, request: FormRequest) -> FormRequest:
        return request

    def handle_response(self, status: int, body: dict[str, Any], headers: list[tuple[str, str]]) -> Result:
        return status, body, headers

    def handle_error_response(self, request: FormRequest, error: Exception) -> Result:
        # Errors are answered in one place, where they are taken down as well.
        raise error

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Events go to the audit instead."""
