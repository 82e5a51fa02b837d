"""Flask without what no request here uses: sessions, views that are coroutines, the parsing of the same host name anew.

Together these cost a read a tenth of its time; `docs/performance.md` has the figures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.sessions import NullSession, SessionInterface, SessionMixin
from flask.wrappers import Request, Response
from werkzeug.routing import MapAdapter

# A client may name any port, so the names that were looked at are kept only up to a number.
MOST_HOSTS = 256


class _NoSessions(SessionInterface):
    """No request has a session: what people sign in to keeps its own cookies (`smart_auth.people`)."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        return self._none

    def is_null_session(self, obj: object) -> bool:
        return True


class Application(Flask):
    """A Flask application with the overheads above left out; in all else it is one."""

    session_interface = _NoSessions()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._hosts: dict[tuple[str, str], tuple[str, str]] = {}

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: all are synchronous here."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """What matches the address of a request. Raises a 400 `SecurityError` for a host that is not trusted.

        A host that was found to be trusted once is not looked at again.
        """
        environ = request.environ if request is not None else {}
        host = environ.get("HTTP_HOST")
        if request is None or not host or "HTTP_UPGRADE" in environ:
            return super().create_url_adapter(request)
        scheme = environ["wsgi.url_scheme"]
        known = self._hosts.get((scheme, host))
        if known is None:
            adapter = super().create_url_adapter(request)
            if adapter is not None and len(self._hosts) < MOST_HOSTS:
                self._hosts[scheme, host] = (request.host, adapter.server_name)
            return adapter
        request.trusted_hosts = self.config["TRUSTED_HOSTS"]
        request.host, server_name = known
        return MapAdapter(
            self.url_map,
            server_name,
            _text(environ.get("SCRIPT_NAME", "")),
            self.url_map.default_subdomain,
            scheme,
            _text(environ.get("PATH_INFO", "")),
            environ["REQUEST_METHOD"],
            _text(environ.get("QUERY_STRING", "")),
        )


def _text(value: str) -> str:
    """The text that stands in a WSGI environment as Latin-1. https://peps.python.org/pep-3333/#unicode-issues"""
    return value if value.isascii() else value.encode("latin1").decode(errors="replace")


class FhirResponse(Response):
    """A response that is complete when it is made, with its length and absolute addresses, and is sent as it is."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Send it: a WSGI application."""
        is_empty = self.status_code in (204, 304)
        if is_empty:  # even where the status was changed after it was made
            self.headers.remove("Content-Length")
        start_response(self.status, self.headers.to_wsgi_list())
        return () if is_empty or environ["REQUEST_METHOD"] == "HEAD" else self.response
