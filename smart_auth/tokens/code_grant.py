"""The grant type `authorization_code`: a code is exchanged for tokens, once, by whom it was issued to, with PKCE.

https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3, https://www.rfc-editor.org/rfc/rfc7636#section-4.6

Authlib's grant gives the order of the checks. It reads a code and deletes it afterwards, so that five exchanges at once all
succeed and a replay goes unnoticed; and it asks only public clients for a verifier. Both are done here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import CodeChallenge  # type: ignore[import-untyped]

from smart_auth.clients.authentication import ALL_METHODS
from smart_auth.errors import OAuthError, ReplayError, invalid_grant, invalid_request
from smart_auth.model import Grant, User
from smart_auth.services import AuthServices
from smart_auth.tokens.codes import AuthorizationCode
from smart_auth.tokens.issue import TokenResponse, issue_access, issue_refresh
from smart_auth.tokens.launch_context import needs_patient
from smart_auth.tokens.refresh import active_user
from smart_auth.tokens.registered_client import RegisteredClient
from smart_auth.tokens.revocation import revoke_grant


@dataclass(frozen=True, slots=True)
class UsedCode:
    """A code that this request has used up, with its grant and user, as Authlib asks for it."""

    code: AuthorizationCode
    grant: Grant
    user: User

    @property
    def code_challenge(self) -> str:
        return self.code.code_challenge

    @property
    def code_challenge_method(self) -> str:
        return "S256"

    def get_redirect_uri(self) -> str:
        return self.code.redirect_uri


class ProofKey(CodeChallenge):  # type: ignore[misc]
    """PKCE for every client, by S256 and nothing else."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_verifier(self, grant: Any, result: Any) -> None:
        if not grant.request.form.get("code_verifier"):
            raise invalid_request("The code_verifier is missing.")
        super().validate_code_verifier(grant, result)


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    """See the module. When Authlib checks redirect_uri and verifier, the code is used up already: a wrong one burns it."""

    TOKEN_ENDPOINT_AUTH_METHODS = sorted(ALL_METHODS)

    @property
    def services(self) -> AuthServices:
        services: AuthServices = self.server.services
        return services

    def query_authorization_code(self, code: str, client: RegisteredClient) -> UsedCode:
        """Use a code up. Raises OAuthError (invalid_grant), as a ReplayError for one that was used before."""
        services, now = self.services, self.services.clock()
        found = services.store.codes.find(code, now)
        if found.value is None:
            raise invalid_grant("The code is unknown or was revoked.")
        if found.value.client_id != client.client_id:
            raise invalid_grant("The code was issued to another client.")
        if found.state == "used":
            raise self._replayed(found.value)
        if found.state == "expired":
            raise invalid_grant(f"The code has expired; it lives {services.settings.code_seconds} seconds.")
        # Looked at before the code is used up: should the code come twice at once, the second request revokes the grant,
        # and the first must not find it revoked.
        grant = services.store.grants.find(found.value.grant_id)
        if grant is None or grant.revoked_at is not None or grant.expires_at <= now:
            raise invalid_grant("What the code was issued for has been revoked.")
        user = active_user(services, grant)
        if not services.store.codes.consume(code, client.client_id, now):
            raise self._replayed(found.value)
        if found.value.aud != services.settings.fhir_base:
            raise invalid_grant("The code was issued for another FHIR server.")
        if needs_patient(grant.scope) and grant.context.patient is None:
            raise invalid_grant("No patient was chosen, and the scopes that were granted need one.")
        return UsedCode(found.value, grant, user)

    def create_token_response(self) -> tuple[int, TokenResponse, list[tuple[str, str]]]:
        """The answer to a request that passed all checks."""
        services, used = self.services, self.request.authorization_code
        refresh_token = None
        if used.grant.stay != "none":
            refresh_token = services.random_text()
            issue_refresh(services, used.grant, refresh_token, services.clock())
        response = issue_access(
            services,
            used.grant,
            used.grant.scope,
            services.settings.access_token_seconds,
            used.user,
            refresh_token=refresh_token,
            nonce=used.grant.nonce,
        )
        return 200, response, list(self.TOKEN_RESPONSE_HEADER)

    def _replayed(self, code: AuthorizationCode) -> OAuthError:
        revoke_grant(self.services, code.grant_id)
        return ReplayError("invalid_grant", "The code was used before, so everything granted with it is revoked.")
