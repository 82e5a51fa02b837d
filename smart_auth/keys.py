"""The keys that ID tokens are signed with: made, published ahead of their use, replaced from time to time.

https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys

Clients keep our key set for as long as its answer allows. So a new key is published for longer than that before it signs,
and an old one until what it signed has expired.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from joserfc.jwk import RSAKey

from smart_auth.store.signing_keys import StoredKey

if TYPE_CHECKING:
    from smart_auth.services import AuthServices

ALGORITHM = "RS256"
KEY_BITS = 2048
PUBLIC_MEMBERS = ("kty", "kid", "use", "alg", "n", "e")
# How long a process may not know of a key that another one made.
REREAD_MS = 60_000


class SigningKeys:
    """The keys as this process knows them. They are kept in the store, so all processes sign with the same."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stored: list[StoredKey] = []
        self._read_at: int | None = None
        self._imported: dict[int, RSAKey] = {}

    def current(self, services: AuthServices) -> RSAKey:
        """The key to sign with, its `kid` included. Makes the first one, and the next one when it is time."""
        now = services.clock()
        keys = self._keys(services)
        if keys[0].created_at + services.settings.signing_key_seconds * 1000 <= now:
            self.rotate(services)
            keys = self._keys(services)
        chosen = next((key for key in keys if key.signs_from <= now), keys[-1])
        if chosen.generation not in self._imported:
            self._imported[chosen.generation] = RSAKey.import_key(chosen.jwk)
        return self._imported[chosen.generation]

    def published(self, services: AuthServices) -> dict[str, Any]:
        """The JWK Set for others: bare public keys, those that will sign next included.

        https://www.rfc-editor.org/rfc/rfc7517#section-5
        """
        now = services.clock()
        live = [key for key in self._keys(services) if key.retires_at is None or key.retires_at > now]
        return {"keys": [{name: key.jwk[name] for name in PUBLIC_MEMBERS} for key in live]}

    def rotate(self, services: AuthServices, at_once: bool = False) -> str:
        """Make the next key; its `kid`. at_once: it signs now and the old one is withdrawn, because that has leaked."""
        settings, now = services.settings, services.clock()
        stored = services.store.signing_keys.all()
        lead = 0 if at_once or not stored else settings.jwks_cache_seconds * 1000 + 2 * REREAD_MS
        overlap = 0 if at_once else (settings.id_token_seconds + settings.clock_skew_seconds) * 1000 + REREAD_MS
        jwk = _new_jwk()
        key = StoredKey(stored[0].generation + 1 if stored else 1, jwk, now, signs_from=now + lead)
        # Should another process have been quicker, its key serves as well.
        services.store.signing_keys.add(key, predecessor_retires_at=now + lead + overlap)
        self._forget()
        return str(self._keys(services)[0].jwk["kid"])

    def _keys(self, services: AuthServices) -> list[StoredKey]:
        now = services.clock()
        with self._lock:
            if not self._stored or self._read_at is None or not 0 <= now - self._read_at < REREAD_MS:
                self._stored = services.store.signing_keys.all()
                self._read_at = now
            if self._stored:
                return self._stored
            services.store.signing_keys.add(StoredKey(1, _new_jwk(), now, signs_from=now), predecessor_retires_at=now)
            self._stored = services.store.signing_keys.all()
            return self._stored

    def _forget(self) -> None:
        with self._lock:
            self._stored = []


def _new_jwk() -> dict[str, Any]:
    key = RSAKey.generate_key(KEY_BITS, {"use": "sig", "alg": ALGORITHM}, private=True)
    return {**key.as_dict(private=True), "kid": key.thumbprint()}
