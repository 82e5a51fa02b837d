"""The structured log: one JSON object a line on standard error, with request ids and without patient data.

A line names the route (`/fhir/{type}/{id}`), never the address that was asked for, because ids and search values tell
about patients. A fault is logged with its type and its place in the code, never with its message, which may quote data.
"""

from __future__ import annotations

import re
import secrets
import sys
import time
import traceback
from contextlib import suppress
from typing import Any

import orjson
from flask import Flask, Response, g, got_request_exception, request

LEVELS = ("debug", "info", "warning", "error", "critical")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,64}")
_least = LEVELS.index("info")


def is_logged(level: str) -> bool:
    """Whether a line of this level would be written."""
    return LEVELS.index(level) >= _least


def log(level: str, event: str, **fields: Any) -> None:
    """Write one line, unless its level is below the one configured."""
    if not is_logged(level):
        return
    line = {"time": time.time(), "level": level, "event": event, **fields}
    # A log that cannot be written, for want of space, must not keep requests from being answered.
    with suppress(OSError):
        sys.stderr.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        sys.stderr.buffer.flush()


def log_fault(error: BaseException) -> None:
    """Log an unexpected fault: what kind, and where in the code; not its message."""
    frames = [
        f"{f.filename.rpartition('site-packages/')[2]}:{f.lineno} {f.name}"
        for f in traceback.extract_tb(error.__traceback__)
    ]
    log("error", "fault", request_id=g.get("request_id"), error=type(error).__name__, trace=frames[-12:])


def _log_unhandled(_: Flask, exception: BaseException, **__: object) -> None:
    """A fault that no handler took, such as one of a handler's own."""
    log_fault(exception)


def register_request_log(app: Flask, level: str) -> None:
    """Give each request an id, taken from `X-Request-Id` where the client sends a sound one, and log its answer."""
    global _least  # one log a process, set once at start
    _least = LEVELS.index(level)
    app.logger.disabled = True  # it would write addresses, and the messages of faults
    got_request_exception.connect(_log_unhandled, app)

    @app.before_request
    def _begin() -> None:
        given = request.environ.get("HTTP_X_REQUEST_ID")
        g.request_id = given if given and _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        g.began = time.perf_counter()

    @app.after_request
    def _end(response: Response) -> Response:
        request_id = g.get("request_id") or secrets.token_hex(8)
        response.headers.add("X-Request-Id", request_id)
        if not is_logged("info"):
            return response
        log(
            "info",
            "request",
            request_id=request_id,
            method=request.method,
            route=request.url_rule.rule if request.url_rule else None,
            type=(request.view_args or {}).get("type"),
            status=response.status_code,
            bytes=response.content_length,
            ms=round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 2),
        )
        return response
