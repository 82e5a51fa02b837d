"""The CORS headers of the OAuth endpoints and of the public documents.

https://fetch.spec.whatwg.org/#http-cors-protocol
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support
"""

from __future__ import annotations

from flask import Request, Response

from smart_auth.services import AuthServices

MAX_AGE_SECONDS = 600
_ALLOWED_HEADERS = "Accept, Authorization, Content-Type, Origin, X-Request-Id"
_EXPOSED_HEADERS = "Retry-After, WWW-Authenticate, X-Request-Id"


def allow_everybody(response: Response) -> Response:
    """For documents that are public: any page may read them."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
    response.headers["Access-Control-Allow-Headers"] = "*"
    response.headers["Access-Control-Max-Age"] = str(MAX_AGE_SECONDS)
    return response


def allow_registered(services: AuthServices, request: Request, response: Response) -> Response:
    """For endpoints that apps call from a browser: the pages of active clients may. Cookies are not asked for."""
    response.headers.add("Vary", "Origin")
    origin = request.environ.get("HTTP_ORIGIN")
    if origin and services.origin_cache.is_registered(services, origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "POST, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
            response.headers["Access-Control-Max-Age"] = str(MAX_AGE_SECONDS)
    return response
