"""The revocation endpoint: a client gives a token back.

https://www.rfc-editor.org/rfc/rfc7009
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc7009 import RevocationEndpoint  # type: ignore[import-untyped]

from smart_auth.clients.authentication import ALL_METHODS
from smart_auth.errors import invalid_grant, invalid_request
from smart_auth.services import AuthServices
from smart_auth.tokens.registered_client import RegisteredClient
from smart_auth.tokens.revocation import revoke_grant


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token that was presented: whose it is."""

    grant_id: str
    client_id: str

    def check_client(self, client: RegisteredClient) -> bool:
        if self.client_id != client.client_id:
            raise invalid_grant("The token was issued to another client.")
        return True


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """Whichever token is given back, all that was granted with it ends."""

    CLIENT_AUTH_METHODS = sorted(ALL_METHODS)

    def check_params(self, request: Any, client: RegisteredClient) -> None:
        """A hint that is not known is no error: we look everywhere anyway."""
        if "token" not in request.form:
            raise invalid_request("The token is missing.")

    def query_token(self, token_string: str, token_type_hint: str | None) -> IssuedToken | None:
        services: AuthServices = self.server.services
        found = services.store.tokens.find_access(token_string)
        if found is not None:
            return IssuedToken(found.token.grant_id, found.token.client_id)
        refresh_token = services.store.tokens.find_refresh(token_string)
        return None if refresh_token is None else IssuedToken(refresh_token.grant_id, refresh_token.client_id)

    def revoke_token(self, token: IssuedToken, request: Any) -> None:
        revoke_grant(self.server.services, token.grant_id)
