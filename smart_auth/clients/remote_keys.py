"""Key sets that clients publish at their `jwks_uri`, fetched with care and remembered for a while.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#registering-a-client-communicating-public-keys

The address is the client's choice, so fetching it must not become a way into our network: only https, only addresses of the
public internet, checked after the name was resolved and used as checked, no redirects, little time and little data.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 5.0
MAX_BYTES = 64 * 1024
DEFAULT_SECONDS = 5 * 60
LONGEST_SECONDS = 60 * 60
# Anybody can make us look for a key by sending an assertion; the client's server must not suffer from it.
REFETCH_SECONDS = 30

# IPv4 mapped, translated (NAT64), tunnelled (6to4, Teredo).
_DISGUISES = tuple(map(ipaddress.IPv6Network, ("::ffff:0:0/96", "64:ff9b::/96", "2002::/16", "2001::/32")))

Json = Mapping[str, Any]


class KeysUnavailable(Exception):
    """The keys could not be fetched; the message is a sentence for the client's developer."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A key set and for how many seconds its server lets others keep it."""

    keys: tuple[Json, ...]
    seconds: int


Fetch = Callable[[str, bool], Fetched]
"""(address, whether this machine may be asked) → keys. Raises KeysUnavailable."""


def fetch(address: str, allow_loopback: bool) -> Fetched:
    """Get a JWK Set over the network. Raises KeysUnavailable."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    is_plain = parts.scheme == "http"
    if parts.scheme != "https" and not (is_plain and allow_loopback):
        raise KeysUnavailable("The jwks_uri is not https.")
    deadline = time.monotonic() + TIMEOUT_SECONDS
    port = parts.port or (80 if is_plain else 443)
    targets = _resolved(host, port, loopback_only=is_plain, allow_loopback=allow_loopback)
    connection = _PinnedConnection(host, port, targets, None if is_plain else ssl.create_default_context())
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("GET", path, headers={"Accept": "application/json", "Connection": "close"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise KeysUnavailable(f"The jwks_uri was answered with status {answer.status}; redirects are not followed.")
        body = _body(answer, deadline)
    except (OSError, http.client.HTTPException, ValueError):
        raise KeysUnavailable("The jwks_uri could not be fetched.") from None
    finally:
        connection.close()
    return Fetched(key_set(body), _seconds(answer.headers.get("Cache-Control", "")))


def key_set(body: bytes) -> tuple[Json, ...]:
    """The keys of a JWK Set in JSON. Raises KeysUnavailable."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise KeysUnavailable("The jwks_uri was not answered with JSON.") from None
    keys = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise KeysUnavailable("The jwks_uri was not answered with a JWK Set that has keys.")
    return tuple(keys)


class _PinnedConnection(http.client.HTTPConnection):
    """Talks to an address that was checked, whatever the name resolves to a moment later."""

    def __init__(self, host: str, port: int, targets: list[str], tls: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=TIMEOUT_SECONDS)
        self.default_port = 80 if tls is None else 443  # what `Host` need not name
        self._targets = targets
        self._tls = tls

    def connect(self) -> None:
        plain = self._reached()
        self.sock = plain if self._tls is None else self._tls.wrap_socket(plain, server_hostname=self.host)

    def _reached(self) -> socket.socket:
        for target in self._targets[:-1]:
            try:
                return socket.create_connection((target, self.port), TIMEOUT_SECONDS / len(self._targets))
            except OSError:
                continue
        return socket.create_connection((self._targets[-1], self.port), TIMEOUT_SECONDS)


def _resolved(host: str, port: int, loopback_only: bool, allow_loopback: bool) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise KeysUnavailable("The host of the jwks_uri has no address.") from None
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        is_fine = address.is_loopback if loopback_only else is_public(address)
        if not is_fine and not (allow_loopback and address.is_loopback):
            raise KeysUnavailable("The host of the jwks_uri is not on the public internet.")
    return addresses


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is of the public internet, and not one of IPv4 in the guise of IPv6."""
    if address.version == 6 and any(address in network for network in _DISGUISES):
        return False
    return address.is_global and not address.is_multicast


def _body(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    chunks = bytearray()
    while chunk := answer.read1(8192):
        chunks += chunk
        if len(chunks) > MAX_BYTES:
            raise KeysUnavailable(f"The answer of the jwks_uri has more than {MAX_BYTES} bytes.")
        if time.monotonic() > deadline:
            raise KeysUnavailable("The jwks_uri was answered too slowly.")
    return bytes(chunks)


def _seconds(cache_control: str) -> int:
    if re.search(r"\bno-(store|cache)\b", cache_control, re.IGNORECASE):
        return 0
    found = re.search(r"\bmax-age\s*=\s*\"?(\d{1,9})", cache_control, re.IGNORECASE)
    return min(int(found[1]), LONGEST_SECONDS) if found else DEFAULT_SECONDS


@dataclass(slots=True)
class _Remembered:
    keys: tuple[Json, ...]
    fetched_at: int
    until: int
    fault: str | None = None


class RemoteKeys:
    """Key sets by their address, for one process."""

    def __init__(self, fetch: Fetch = fetch) -> None:
        self._fetch = fetch
        self._remembered: dict[str, _Remembered] = {}
        self._locks: dict[str, Lock] = {}
        self._guard = Lock()

    def find(self, address: str, kid: str, now: int, allow_loopback: bool) -> list[Json]:
        """The keys with this id; fetched anew, at most every 30 seconds, where the known ones have none.

        now: milliseconds. Raises KeysUnavailable.
        """
        with self._guard:
            lock = self._locks.setdefault(address, Lock())
        with lock:  # one request at a time to one address
            known = self._remembered.get(address)
            is_recent = known is not None and abs(now - known.fetched_at) < REFETCH_SECONDS * 1000
            if known is None or (not is_recent and (now >= known.until or not _with_id(known.keys, kid))):
                known = self._remembered[address] = self._fresh(address, now, allow_loopback)
            if known.fault is not None:
                raise KeysUnavailable(known.fault)
            return _with_id(known.keys, kid)

    def _fresh(self, address: str, now: int, allow_loopback: bool) -> _Remembered:
        try:
            fetched = self._fetch(address, allow_loopback)
        except KeysUnavailable as fault:
            return _Remembered((), now, now, str(fault))
        return _Remembered(fetched.keys, now, now + fetched.seconds * 1000)


def _with_id(keys: tuple[Json, ...], kid: str) -> list[Json]:
    return [key for key in keys if key.get("kid") == kid]
