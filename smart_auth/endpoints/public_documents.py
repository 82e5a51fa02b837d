"""The public documents: discovery, our public keys, and our style. Anybody may read and keep them for a while.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-well-known
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import orjson
from flask import Blueprint, Response, request

from smart_auth.discovery import authorization_server_metadata, openid_configuration, smart_configuration
from smart_auth.endpoints.answers import answer
from smart_auth.endpoints.cors import allow_everybody
from smart_auth.services import AuthServices

# Where the application serves the FHIR base, whatever it is called outside.
FHIR_PATH = "/fhir"

# https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#styling
# As the style sheet of the pages has it.
STYLE = {
    "color_background": "#ffffff",
    "color_error": "#a3161c",
    "color_highlight": "#0a5a78",
    "color_modal_backdrop": "",
    "color_success": "#17603a",
    "color_text": "#17212b",
    "dim_border_radius": "8px",
    "dim_font_size": "16px",
    "dim_spacing_size": "16px",
    "font_family_body": "system-ui, sans-serif",
    "font_family_heading": "system-ui, sans-serif",
}


def register_public_documents(blueprint: Blueprint, services: AuthServices) -> None:
    """Add the documents. Those of discovery stand below the FHIR base and at the root of the server, where some look."""
    settings = services.settings
    smart = smart_configuration(settings)
    openid = openid_configuration(settings)
    oauth = authorization_server_metadata(settings)
    # RFC 8414 puts the path of the issuer after the name of the document, OpenID Connect puts it before.
    issuer_path = urlsplit(settings.issuer).path
    places: dict[str, tuple[Mapping[str, Any], list[str]]] = {
        "smart_configuration": (smart, _at("smart-configuration")),
        "openid_configuration": (openid, _at("openid-configuration")),
        "oauth_authorization_server": (
            oauth,
            [
                *_at("oauth-authorization-server"),
                *([f"/.well-known/oauth-authorization-server{issuer_path}"] if issuer_path else []),
            ],
        ),
        "smart_style": (STYLE, ["/auth/smart-style.json"]),
    }
    for name, (document, paths) in places.items():
        view = _view(partial(dict, document), settings.discovery_cache_seconds)
        for path in paths:
            _add(blueprint, path, name, view)
    keys = _view(lambda: services.signing_keys.published(services), settings.jwks_cache_seconds)
    _add(blueprint, "/auth/jwks", "jwks", keys)


def _at(name: str) -> list[str]:
    return [f"{FHIR_PATH}/.well-known/{name}", f"/.well-known/{name}"]


def _add(blueprint: Blueprint, path: str, name: str, view: Callable[[], Response]) -> None:
    blueprint.add_url_rule(path, name, view, methods=["GET", "OPTIONS"], provide_automatic_options=False)


def _view(document: Callable[[], Mapping[str, Any]], seconds: int) -> Callable[[], Response]:
    def get() -> Response:
        response = Response(orjson.dumps(document()), content_type="application/json")
        response.headers["Cache-Control"] = f"public, max-age={seconds}"
        response.add_etag()
        response.make_conditional(request)
        return response

    def view() -> Response:
        if request.method == "OPTIONS":
            return allow_everybody(Response(status=204, headers={"Allow": "GET, HEAD, OPTIONS"}))
        return allow_everybody(answer(get, lambda error: None))

    return view
