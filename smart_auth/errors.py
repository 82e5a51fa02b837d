"""The errors of OAuth, as Authlib's machinery expects to catch them: with a status, a code and a useful description.

https://www.rfc-editor.org/rfc/rfc6749#section-5.2
"""

from __future__ import annotations

import re

from authlib.consts import default_json_headers  # type: ignore[import-untyped]
from authlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]

_OUTSIDE = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")
LONGEST_QUOTE = 100


class OAuthError(OAuth2Error):  # type: ignore[misc]
    """An error to answer with. challenge: the value of `WWW-Authenticate`, if there is one."""

    def __init__(self, error: str, description: str, status: int = 400, challenge: str | None = None) -> None:
        super().__init__(error=error, description=plain(description), status_code=status)
        self.challenge = challenge

    def get_headers(self) -> list[tuple[str, str]]:
        headers: list[tuple[str, str]] = list(default_json_headers)
        return headers if self.challenge is None else [*headers, ("WWW-Authenticate", self.challenge)]


class ReplayError(OAuthError):
    """Something that is good for one use came twice: a code, a refresh token, an assertion."""


def plain(text: str) -> str:
    """A text with only the characters that an error description may have; others become a question mark."""
    return _OUTSIDE.sub("?", text)


def quoted(text: str) -> str:
    """What a client sent, fit for a description: in quotation marks, and not too long."""
    return f"'{plain(text[:LONGEST_QUOTE])}{'...' if len(text) > LONGEST_QUOTE else ''}'"


def invalid_request(description: str) -> OAuthError:
    return OAuthError("invalid_request", description)


def invalid_grant(description: str) -> OAuthError:
    return OAuthError("invalid_grant", description)


def invalid_scope(description: str) -> OAuthError:
    return OAuthError("invalid_scope", description)


def invalid_client(description: str, with_basic: bool = False) -> OAuthError:
    """with_basic: whether the client tried to authenticate by HTTP Basic, which then has to be named as a challenge."""
    return OAuthError("invalid_client", description, 401, 'Basic realm="oauth"' if with_basic else None)
