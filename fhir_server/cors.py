"""Cross-origin requests: which web pages may call the API from a browser.

https://fetch.spec.whatwg.org/#http-cors-protocol
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support

With authorization the pages of registered apps may, and anybody may read what is public. Without it and without a list of
origins only pages from this machine may: a page from anywhere else must not read what a server on the visitor's own machine
holds. No page ever gets to use the visitor's cookies.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Flask, Response, request

from smart_auth.services import AuthServices

ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
ALLOWED_HEADERS = (
    "Accept, Authorization, Content-Encoding, Content-Type, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, "
    "Origin, Prefer, X-Request-Id"
)
EXPOSED_HEADERS = (
    "Content-Location, ETag, Last-Modified, Location, Retry-After, WWW-Authenticate, X-Progress, X-Request-Id"
)
MAX_AGE_SECONDS = "600"
PUBLIC_PATHS = frozenset({"/fhir/metadata", "/openapi.json", "/healthz", "/readyz"})
OF_AUTHORIZATION = re.compile(r"/auth/|/(fhir/)?\.well-known/")
"""Addresses that look after these headers themselves."""

_LOOPBACK = re.compile(r"https?://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?")


def register_cors(app: Flask, origins: tuple[str, ...], auth: AuthServices | None = None) -> None:
    """Add the CORS headers to every answer to an allowed origin.

    origins: as configured; empty for those of registered apps or, without authorization, of this machine.
    """
    is_allowed = _rule(frozenset(origins), auth)

    @app.after_request
    def _cors(response: Response) -> Response:
        origin = request.environ.get("HTTP_ORIGIN")
        if auth is not None:
            if OF_AUTHORIZATION.match(request.path):
                return response
            if request.path in PUBLIC_PATHS:
                return _permit(response, "*")
        if origin is None:
            return response
        response.headers.add("Vary", "Origin")
        return _permit(response, origin) if is_allowed(origin) else response


def _rule(origins: frozenset[str], auth: AuthServices | None) -> Callable[[str], bool]:
    if auth is not None:
        return lambda origin: origin in origins or auth.origin_cache.is_registered(auth, origin)
    if origins:
        return lambda origin: origin in origins
    return lambda origin: _LOOPBACK.fullmatch(origin) is not None


def _permit(response: Response, origin: str) -> Response:
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
        response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = MAX_AGE_SECONDS
        if "Access-Control-Request-Method" in request.headers and response.status_code >= 400:
            # Browsers hide the answer, a 404 for one, unless the question before it succeeds.
            response.status_code, response.data = 204, b""
    return response
