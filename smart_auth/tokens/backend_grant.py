"""The grant type `client_credentials`: a backend service gets a token of its own, for five minutes.

https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html#obtain-access-token
"""

from __future__ import annotations

from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant  # type: ignore[import-untyped]

from smart_auth.clients.authentication import KEYS
from smart_auth.errors import invalid_scope, quoted
from smart_auth.model import Grant
from smart_auth.scopes import granted
from smart_auth.services import AuthServices
from smart_auth.tokens.issue import TokenResponse, issue_access

LEVELS = frozenset({"system"})


class BackendGrant(ClientCredentialsGrant):  # type: ignore[misc]
    """Each token has a grant of its own, so that one can be revoked without the others."""

    TOKEN_ENDPOINT_AUTH_METHODS = [KEYS]

    def validate_requested_scope(self) -> None:
        """Narrow what is asked for to what an administrator agreed to. Raises OAuthError (invalid_scope)."""
        requested: str | None = self.request.form.get("scope")
        if requested is None:
            raise invalid_scope("The scope is missing.")
        answer = granted(requested, self.request.client.client.scope, LEVELS)
        if not answer.granted:
            text, reason = answer.dropped[0] if answer.dropped else (requested, "It names no scope.")
            raise invalid_scope(f"None of the scopes can be granted. {quoted(text)}: {reason}")
        self.request.scope = answer.scope

    def create_token_response(self) -> tuple[int, TokenResponse, list[tuple[str, str]]]:
        services: AuthServices = self.server.services
        now, seconds = services.clock(), services.settings.backend_token_seconds
        grant = Grant(
            id=services.random_text(),
            client_id=self.request.client.client_id,
            scope=self.request.scope,
            created_at=now,
            expires_at=now + seconds * 1000,
        )
        services.store.grants.add(grant)
        return 200, issue_access(services, grant, grant.scope, seconds), list(self.TOKEN_RESPONSE_HEADER)
