"""Cross-origin requests: which web pages may call the API from a browser.

https://fetch.spec.whatwg.org/#http-cors-protocol

Without a list of origins only pages from this machine may: as long as there is no authorization, a page from anywhere
else must not read what a server on the visitor's own machine holds.
"""

from __future__ import annotations

import re

from flask import Flask, Response, request

ALLOWED_METHODS = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
ALLOWED_HEADERS = (
    "Accept, Authorization, Content-Encoding, Content-Type, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, "
    "Origin, Prefer, X-Request-Id"
)
EXPOSED_HEADERS = "Content-Location, ETag, Last-Modified, Location, X-Request-Id"
MAX_AGE_SECONDS = "600"

_LOOPBACK = re.compile(r"https?://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?")


def register_cors(app: Flask, origins: tuple[str, ...]) -> None:
    """Add the CORS headers to every answer to an allowed origin. origins: as configured; empty for loopback only."""
    allowed = frozenset(origins)

    def is_allowed(origin: str) -> bool:
        return (origin in allowed or "*" in allowed) if allowed else _LOOPBACK.fullmatch(origin) is not None

    @app.after_request
    def _cors(response: Response) -> Response:
        origin = request.environ.get("HTTP_ORIGIN")
        if origin is None:
            return response
        response.headers.add("Vary", "Origin")
        if is_allowed(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
                response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
                response.headers["Access-Control-Max-Age"] = MAX_AGE_SECONDS
        return response
