"""Access and refresh tokens as they are stored; their texts are known to their clients only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token: of which grant and client, for what, and until when (milliseconds)."""

    grant_id: str
    client_id: str
    scope: str
    issued_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token. used_at: when it was exchanged for its successor; salt: what that was derived with.

    The successor is derived from the text of this token and the salt, so that a client which lost our answer can be given
    the same successor again although we store hashes only.
    """

    digest: str
    grant_id: str
    client_id: str
    issued_at: int
    expires_at: int
    used_at: int | None = None
    salt: str | None = None
