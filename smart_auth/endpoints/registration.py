"""The registration endpoint: a client registers itself, with an initial access token that an administrator made.

https://www.rfc-editor.org/rfc/rfc7591
"""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Request, Response, request

from smart_auth.clients.metadata import client_from, metadata_of
from smart_auth.clients.registering import register
from smart_auth.endpoints.answers import answer, json_answer, method_not_allowed
from smart_auth.endpoints.form import MAX_BYTES
from smart_auth.endpoints.token_endpoints import ALL_METHODS
from smart_auth.errors import OAuthError
from smart_auth.events import Event
from smart_auth.services import AuthServices
from smart_auth.tokens.access import bearer_token


def register_registration(blueprint: Blueprint, services: AuthServices) -> None:
    """Add /auth/register, if clients may register themselves."""
    if not services.settings.allow_registration:
        return

    def view() -> Response:
        if request.method != "POST":
            return method_not_allowed("POST")
        return answer(lambda: _register(services), lambda error: services.audit(_event(error)))

    blueprint.add_url_rule("/auth/register", "register", view, methods=ALL_METHODS, provide_automatic_options=False)


def _register(services: AuthServices) -> Response:
    tokens, now = services.store.initial_access_tokens, services.clock()
    text = bearer_token(request.headers.get("Authorization"))
    if text is None:
        raise OAuthError("invalid_token", "The initial access token is missing.", 401, 'Bearer realm="registration"')
    unknown = OAuthError(
        "invalid_token",
        "The initial access token is unknown, expired or used.",
        401,
        'Bearer realm="registration", error="invalid_token"',
    )
    if tokens.find(text, now) is None:
        raise unknown
    wanted = client_from(_metadata(request), services.random_text(), now)
    # Checked first and used up then: a mistake in the metadata must not cost the token.
    registered = register(services, wanted, before=lambda: tokens.take(text, now) is not None)
    if registered is None:
        raise unknown
    return json_answer(201, metadata_of(registered.client, registered.secret))


def _metadata(incoming: Request) -> dict[str, Any]:
    if incoming.mimetype != "application/json":
        raise OAuthError("invalid_client_metadata", "The Content-Type is not application/json.")
    incoming.max_content_length = MAX_BYTES
    try:
        metadata = json.loads(incoming.get_data(cache=False))
    except (ValueError, RecursionError):
        raise OAuthError("invalid_client_metadata", "The body is not JSON.") from None
    if not isinstance(metadata, dict):
        raise OAuthError("invalid_client_metadata", "The body is not a JSON object.")
    return metadata


def _event(error: Any) -> Event:
    reason = f"{error.error}: {error.get_error_description()}"
    return Event("client-change", False, reason=reason, address=request.remote_addr)
