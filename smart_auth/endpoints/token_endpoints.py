"""The endpoints that take a form by POST: token, revocation, introspection.

https://www.rfc-editor.org/rfc/rfc6749#section-3.2
"""

from __future__ import annotations

import re
from collections.abc import Callable

from authlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]
from flask import Blueprint, Response, request

from smart_auth.endpoints.answers import answer, json_answer, method_not_allowed
from smart_auth.endpoints.authorization_server import AuthorizationServer, Result
from smart_auth.endpoints.cors import allow_registered
from smart_auth.endpoints.form import FormRequest, read_form
from smart_auth.errors import ReplayError, invalid_request
from smart_auth.events import Event, EventCode
from smart_auth.services import AuthServices

ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# What is taken down of a client_id that somebody made up must not fill the audit.
_CLIENT_ID = re.compile(r"[A-Za-z0-9._~\-]{1,128}")

Handle = Callable[[FormRequest], Result]


def register_token_endpoints(blueprint: Blueprint, services: AuthServices) -> None:
    """Add /auth/token, /auth/revoke and /auth/introspect."""
    server = AuthorizationServer(services)

    def token(form: FormRequest) -> Result:
        if "grant_type" not in form.form:
            raise invalid_request("The grant_type is missing.")
        result: Result = server.create_token_response(form)
        return result

    def revoke(form: FormRequest) -> Result:
        result: Result = server.create_endpoint_response("revocation", form)
        return result

    def introspect(form: FormRequest) -> Result:
        result: Result = server.create_endpoint_response("introspection", form)
        return result

    for path, handle in (("/auth/token", token), ("/auth/revoke", revoke), ("/auth/introspect", introspect)):
        view = _view(services, handle, with_cors=handle is not introspect)
        blueprint.add_url_rule(path, handle.__name__, view, methods=ALL_METHODS, provide_automatic_options=False)


def _view(services: AuthServices, handle: Handle, with_cors: bool) -> Callable[[], Response]:
    def post() -> Response:
        form: dict[str, str] = {}

        def handled() -> Response:
            form.update(read_form(request))
            return json_answer(*handle(FormRequest(form, request.headers.get("Authorization"))))

        return answer(handled, lambda error: services.audit(_event(handle.__name__, form, error)))

    def view() -> Response:
        if request.method == "POST":
            response = post()
        elif request.method == "OPTIONS":
            response = Response(status=204, headers={"Allow": "POST, OPTIONS"})
        else:
            response = method_not_allowed("POST")
        return allow_registered(services, request, response) if with_cors else response

    return view


def _event(endpoint: str, form: dict[str, str], error: OAuth2Error) -> Event:
    named = form.get("client_id", "")
    code: EventCode = "denied"
    if isinstance(error, ReplayError):
        code = "replay"
    elif endpoint == "token":
        code = "token-refresh" if form.get("grant_type") == "refresh_token" else "token-issue"
    elif endpoint == "revoke":
        code = "token-revoke"
    return Event(
        code,
        False,
        client_id=named if _CLIENT_ID.fullmatch(named) else None,
        reason=f"{error.error}: {error.get_error_description()}",
        address=request.remote_addr,
    )
