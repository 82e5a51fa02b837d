"""Where a browser may be sent back to, and with what.

https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2, https://www.rfc-editor.org/rfc/rfc9207
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_from_bytes, urlsplit

_FORBIDDEN = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


def with_parameters(uri: str, parameters: Iterable[tuple[str, str]], state: bytes | None = None) -> str:
    """A URI with parameters after those that it has. state: goes back byte for byte as it came."""
    pairs = [f"{name}={quote(value, safe='')}" for name, value in parameters]
    if state is not None:
        pairs.append(f"state={quote_from_bytes(state, safe='')}")
    joint = "&" if "?" in uri else "?"
    return uri + ("" if uri.endswith(("?", "&")) else joint) + "&".join(pairs)


def code_redirect(redirect_uri: str, code: str, state: bytes, issuer: str) -> str:
    """Where a browser goes with a code. https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2"""
    return with_parameters(redirect_uri, [("code", code), ("iss", issuer)], state)


def error_redirect(redirect_uri: str, error: str, description: str, state: bytes | None, issuer: str) -> str:
    """Where a browser goes with an error. https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1"""
    described = _FORBIDDEN.sub("'", description)
    return with_parameters(redirect_uri, [("error", error), ("error_description", described), ("iss", issuer)], state)


def shown_target(redirect_uri: str) -> str:
    """Where an app is, in words for its user: the host, this computer, or an app on the device."""
    parts = urlsplit(redirect_uri)
    if parts.scheme == "https":
        return parts.hostname or redirect_uri
    return "an app on this computer" if parts.scheme == "http" else "an app on this device"


def form_targets(uris: Iterable[str]) -> str:
    """What a page's forms may lead to besides ourselves, for `form-action` of a Content-Security-Policy.

    https://www.w3.org/TR/CSP3/#directive-form-action
    Chromium holds every redirect after a form against it, also those of the app after ours, and many apps send their users
    on from the address that takes the code to another of theirs. So what is named is the scheme, not the host.
    """
    return " ".join(sorted({f"{urlsplit(uri).scheme}:" for uri in uris}))
