"""What the authorization server is told: its addresses and how long everything lives.

Every address is derived from the configured FHIR base and never from a request, whose `Host` anybody may choose.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from smart_auth.model import Stay

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """The settings of one authorization server. Lifetimes are in seconds.

    issuer, fhir_base: the FHIR base as clients see it, without a slash at its end; both are the same.
    code: an authorization code. transaction: an authorization request that waits for its user. launch: a launch handle.
    access_token, backend_token, id_token: what their names say. online, offline: a grant, at the latest. refresh_idle: a
    refresh token that nobody uses. refresh_grace: how long a client may repeat the refresh token that it used last.
    assertion: how far ahead a client assertion may expire. clock_skew: how far the clocks of clients may be off.
    discovery_cache, jwks_cache: how long others may keep our documents and keys. signing_key: when a new key is made.
    allow_registration: whether clients may register themselves, with an initial access token.
    allow_loopback_jwks: whether a client's keys may be fetched from this machine; for development.
    allow_http: whether the base may be http on another host than this; for development.
    allow_demo_users: whether users whose passwords anybody may read can sign in from elsewhere.
    Raises ValueError for a base that OAuth must not be served on.
    """

    issuer: str
    fhir_base: str
    code_seconds: int = MINUTE
    transaction_seconds: int = 10 * MINUTE
    launch_seconds: int = 5 * MINUTE
    access_token_seconds: int = HOUR
    backend_token_seconds: int = 5 * MINUTE
    id_token_seconds: int = HOUR
    online_seconds: int = 12 * HOUR
    offline_seconds: int = 365 * DAY
    refresh_idle_seconds: int = 90 * DAY
    refresh_grace_seconds: int = 30
    assertion_seconds: int = 5 * MINUTE
    clock_skew_seconds: int = MINUTE
    discovery_cache_seconds: int = 10 * MINUTE
    jwks_cache_seconds: int = HOUR
    signing_key_seconds: int = 90 * DAY
    allow_registration: bool = False
    allow_loopback_jwks: bool = False
    allow_http: bool = False
    allow_demo_users: bool = False

    def __post_init__(self) -> None:
        if self.issuer != self.fhir_base:
            raise ValueError("The issuer and the FHIR base must be the same.")
        parts = urlsplit(self.fhir_base)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(
                f"The FHIR base {self.fhir_base!r} is not an http or https URL without query and fragment."
            )
        if self.fhir_base.endswith("/"):
            raise ValueError(f"The FHIR base {self.fhir_base!r} must not end with a slash.")
        if parts.scheme == "http" and not is_loopback(parts.hostname) and not self.allow_http:
            raise ValueError(f"The FHIR base {self.fhir_base!r} must be https: OAuth sends tokens over it.")

    @property
    def root(self) -> str:
        """The address that the OAuth endpoints stand below: the FHIR base without the last part of its path."""
        parts = urlsplit(self.fhir_base)
        return f"{parts.scheme}://{parts.netloc}{parts.path.rpartition('/')[0]}"

    @property
    def authorization_endpoint(self) -> str:
        return f"{self.root}/auth/authorize"

    @property
    def token_endpoint(self) -> str:
        return f"{self.root}/auth/token"

    @property
    def introspection_endpoint(self) -> str:
        return f"{self.root}/auth/introspect"

    @property
    def revocation_endpoint(self) -> str:
        return f"{self.root}/auth/revoke"

    @property
    def registration_endpoint(self) -> str:
        return f"{self.root}/auth/register"

    @property
    def jwks_uri(self) -> str:
        return f"{self.root}/auth/jwks"

    @property
    def management_endpoint(self) -> str:
        return f"{self.root}/auth/manage"

    @property
    def launch_url(self) -> str:
        """Where a user of this server starts apps from."""
        return f"{self.root}/auth/launch"

    @property
    def smart_style_url(self) -> str:
        """Where apps read our colours and sizes."""
        return f"{self.root}/auth/smart-style.json"

    def grant_seconds(self, stay: Stay) -> int:
        """How long a grant lasts at the latest."""
        if stay == "offline":
            return self.offline_seconds
        if stay == "online":
            return self.online_seconds
        return self.code_seconds + self.access_token_seconds


def is_loopback(host: str) -> bool:
    """Whether a host name or address, without brackets, means this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
