"""The start page at `/`: what runs here, and where to go on."""

from __future__ import annotations

from importlib.metadata import version

from flask import Flask, Response, make_response, render_template

from fhir_server.demo_app import is_registered
from fhir_server.services import Services
from smart_auth.services import AuthServices
from smart_auth.store import STORE_FAULTS

# The page is one file: it loads nothing and runs nothing.
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def register_start_page(app: Flask, services: Services, auth: AuthServices | None = None) -> None:
    """Add the page. auth: None where nobody signs in."""

    @app.get("/")
    def start() -> Response:
        page = render_template(
            "start.html",
            base_url=services.base_url,
            version=version("fhir-server"),
            signs_in=auth is not None,
            has_demo=auth is not None and _has_demo(auth),
            bearer="" if auth is None else '-H "Authorization: Bearer $TOKEN" ',
        )
        response = make_response(page)
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response


def _has_demo(auth: AuthServices) -> bool:
    """Whether the demo's app is there; the page is shown while the database is away, too."""
    try:
        return is_registered(auth)
    except STORE_FAULTS:
        return False
