"""The grant type `refresh_token`, as Authlib dispatches to it; what it means is in `refresh`."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749.grants import RefreshTokenGrant  # type: ignore[import-untyped]

from smart_auth.clients.authentication import ALL_METHODS
from smart_auth.errors import invalid_request
from smart_auth.tokens.issue import TokenResponse
from smart_auth.tokens.refresh import refresh


class RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]
    """Authlib's own compares scopes as texts, lets a narrowed scope stick and knows no rotation."""

    TOKEN_ENDPOINT_AUTH_METHODS = sorted(ALL_METHODS)

    def validate_token_request(self) -> None:
        """Authenticate the client; everything else is decided with the token at hand."""
        self.request.client = self._validate_request_client()
        if "refresh_token" not in self.request.form:
            raise invalid_request("The refresh_token is missing.")

    def create_token_response(self) -> tuple[int, TokenResponse, list[tuple[str, str]]]:
        form: dict[str, Any] = self.request.form
        response = refresh(self.server.services, self.request.client.client, form["refresh_token"], form.get("scope"))
        return 200, response, list(self.TOKEN_RESPONSE_HEADER)
