"""Redirect URIs: which may be registered, and when one that is asked for is a registered one.

https://www.rfc-editor.org/rfc/rfc9700#section-2.1, https://www.rfc-editor.org/rfc/rfc8252#section-7
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from smart_auth.settings import is_loopback

LONGEST = 2000
_SENDABLE = re.compile(r"[\x21-\x7e]+")
_UNSAFE = re.compile(r'[<>"\\^`{|}*]')
# RFC 8252 7.1: a scheme of one's own is a domain name in reverse.
_REVERSE_NAME = re.compile(r"[a-z][a-z0-9\-]*(\.[a-z0-9\-]+)+")
_ANY_PORT = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::\d{1,5})?((?:[/?].*)?)")


def redirect_uri_fault(uri: str, is_native: bool) -> str | None:
    """Why a redirect URI cannot be registered, in a sentence; None if it can. is_native: the client has no secret."""
    parts = _split(uri)
    if parts is None:
        return (
            f"The redirect URI {uri[:100]!r} is not a URL, or has characters that a URL must not have, or a wildcard."
        )
    if "#" in uri:
        return f"The redirect URI {uri!r} has a fragment."
    if "@" in parts.netloc:
        return f"The redirect URI {uri!r} has a user name."
    if parts.scheme == "https":
        return None if parts.hostname else f"The redirect URI {uri!r} has no host."
    if parts.scheme == "http":
        if parts.hostname and is_loopback(parts.hostname):
            return None
        return f"The redirect URI {uri!r} is http, which only addresses of the same machine may be."
    if not _REVERSE_NAME.fullmatch(parts.scheme):
        return f"The scheme of the redirect URI {uri!r} is neither https nor a domain name in reverse."
    return (
        None if is_native else f"The redirect URI {uri!r} has a scheme of its own, which only a public client may use."
    )


def web_uri_fault(uri: str, name: str) -> str | None:
    """Why a URL of a client, such as its logo, cannot be registered, in a sentence; None if it can."""
    parts = _split(uri)
    if parts is None or "#" in uri or "@" in parts.netloc or not parts.hostname:
        return f"The {name} {uri[:100]!r} is not a URL with a host and without a user name or fragment."
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname)):
        return None
    return f"The {name} {uri!r} is not https."


def is_registered(registered: Iterable[str], uri: str) -> bool:
    """Whether a redirect URI is one of those registered: character by character, but for the port of a loopback address."""
    wanted = _without_port(uri)
    return any(uri == each or (wanted is not None and wanted == _without_port(each)) for each in registered)


def origin_of(uri: str) -> str | None:
    """The origin of a web page, `https://app.example.org`; None for what is no web page."""
    parts = _split(uri)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = 443 if parts.scheme == "https" else 80
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def origins_of(uris: Iterable[str]) -> tuple[str, ...]:
    """The origins of web pages, each once."""
    return tuple(dict.fromkeys(origin for uri in uris if (origin := origin_of(uri)) is not None))


def _split(uri: str) -> SplitResult | None:
    if len(uri) > LONGEST or not _SENDABLE.fullmatch(uri) or _UNSAFE.search(uri):
        return None
    try:
        parts = urlsplit(uri)
        _ = parts.port  # raises for a port that is none
    except ValueError:
        return None
    return parts if parts.scheme else None


def _without_port(uri: str) -> tuple[str, str] | None:
    found = _ANY_PORT.fullmatch(uri)
    return None if found is None else (found[1], found[2])
