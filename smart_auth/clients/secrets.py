"""Client secrets: made at random, shown once, stored as hashes, replaced with an overlap.

https://www.rfc-editor.org/rfc/rfc6749#section-10.1
"""

from __future__ import annotations

import hmac
from dataclasses import replace

from smart_auth.model import ClientSecret
from smart_auth.store.digests import digest_of

# A client that rotates again and again within the overlap does not collect secrets without end.
AT_MOST = 3


def secret_for(text: str) -> ClientSecret:
    """How a secret of 256 random bits is stored."""
    return ClientSecret(digest_of(text))


def matches(secrets: tuple[ClientSecret, ...], text: str, now: int) -> bool:
    """Whether a text is one of the secrets and still accepted. Takes as long for a wrong text as for a right one."""
    digest = digest_of(text)
    found = [hmac.compare_digest(secret.digest, digest) for secret in secrets if _is_live(secret, now)]
    return any(found)


def rotated(secrets: tuple[ClientSecret, ...], text: str, now: int, overlap_ms: int) -> tuple[ClientSecret, ...]:
    """The secrets after a new one was made: the old ones are accepted for the overlap and no longer than they were."""
    until = now + overlap_ms
    old = [replace(secret, expires_at=min(secret.expires_at or until, until)) for secret in secrets]
    live = [secret for secret in old if _is_live(secret, now)]
    return (secret_for(text), *live[: AT_MOST - 1])


def _is_live(secret: ClientSecret, now: int) -> bool:
    return secret.expires_at is None or secret.expires_at > now
