"""Answers of the OAuth endpoints: JSON that nobody keeps, and every fault as one of OAuth's errors.

https://www.rfc-editor.org/rfc/rfc6749#section-5
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson
from authlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]
from flask import Response, current_app, got_request_exception
from werkzeug.exceptions import HTTPException

from smart_auth.errors import plain
from smart_auth.store import STORE_FAULTS

RETRY_SECONDS = "2"
NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
_WITHOUT_DESCRIPTION = "The request was refused."

Headers = Iterable[tuple[str, str]]


def json_answer(status: int, body: Any, headers: Headers = ()) -> Response:
    """A JSON answer that must not be kept."""
    response = Response(orjson.dumps(body), status, content_type="application/json")
    for name, value in (*headers, *NO_STORE):
        if name.lower() != "content-type":
            response.headers[name] = value
    return response


def error_answer(status: int, error: str, description: str, headers: Headers = ()) -> Response:
    """https://www.rfc-editor.org/rfc/rfc6749#section-5.2"""
    return json_answer(status, {"error": error, "error_description": plain(description)}, headers)


def answer(handle: Callable[[], Response], refused: Callable[[OAuth2Error], None]) -> Response:
    """What a handler answers, or the error that stopped it. refused: told of every error of OAuth's, for the audit."""
    try:
        return handle()
    except OAuth2Error as error:
        refused(error)
        status, body, headers = error()
        return error_answer(status, body["error"], body.get("error_description") or _WITHOUT_DESCRIPTION, headers)
    except HTTPException as error:
        return error_answer(error.code or 400, "invalid_request", error.description or error.name)
    except STORE_FAULTS as error:
        _report(error)
        headers = [("Retry-After", RETRY_SECONDS)]
        return error_answer(503, "temporarily_unavailable", "The store does not answer; try again soon.", headers)
    except Exception as error:
        _report(error)
        return error_answer(500, "server_error", "The server failed to handle the request.")


def method_not_allowed(allowed: str) -> Response:
    return error_answer(
        405, "invalid_request", f"This endpoint takes {allowed} only.", [("Allow", f"{allowed}, OPTIONS")]
    )


def _report(error: Exception) -> None:
    """Let whoever logs the faults of the application know of this one, too."""
    got_request_exception.send(current_app._get_current_object(), exception=error)  # type: ignore[attr-defined]
