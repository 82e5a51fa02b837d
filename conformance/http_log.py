"""The requests that checks make and the answers they get, kept for reports: without tokens, secrets and passwords."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx

MASK = "***"
LONGEST_BODY = 4_000
# Where a parameter of these names stands in an address or a form, and where a member of these names stands in JSON.
OF_FORMS = (
    *("access_token", "refresh_token", "id_token", "token", "code_verifier", "launch", "client_secret"),
    *("client_assertion", "assertion", "password", "csrf", "tx"),
)
OF_JSON = ("access_token", "refresh_token", "id_token", "client_secret", "registration_access_token")
_IN_FORM = re.compile(rf"(^|[?&\s])({'|'.join(OF_FORMS)})=([^&\s#\"'<>]*)", re.IGNORECASE)
# `code` is a search parameter as well, whose values are short.
_CODE = re.compile(r"(^|[?&\s])(code)=([A-Za-z0-9._~\-]{20,})")
_IN_JSON = re.compile(rf'("(?:{"|".join(OF_JSON)})"\s*:\s*")((?:[^"\\]|\\.)*)', re.IGNORECASE)
_HIDDEN_INPUT = re.compile(r"(<input\b[^>]*\bvalue=)(\"[^\"]*\"|'[^']*')", re.IGNORECASE)
_IS_HIDDEN = re.compile(r"\btype=[\"']?hidden\b", re.IGNORECASE)
_SECRET_HEADERS = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, masked. status: None where there was no answer. Headers: (name, value)."""

    method: str
    url: str
    request_headers: tuple[tuple[str, str], ...]
    request_body: str
    status: int | None = None
    response_headers: tuple[tuple[str, str], ...] = ()
    response_body: str = ""


class HttpLog:
    """Collects the exchanges of the clients that it is attached to. Several threads may use them at once."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """secrets: texts that never appear in the log, wherever they stand."""
        self._secrets = sorted({text for text in secrets if len(text) >= 4}, key=len, reverse=True)
        self._exchanges: list[Exchange] = []
        self._lock = threading.Lock()

    def attach(self, client: httpx.Client) -> httpx.Client:
        """Note everything that a client does from now on."""
        client.event_hooks = {"response": [self._note]}
        return client

    def take(self) -> tuple[Exchange, ...]:
        """The exchanges since the last call, which are forgotten by this."""
        with self._lock:
            taken, self._exchanges = self._exchanges, []
        return tuple(taken)

    def masked(self, text: str) -> str:
        """The text without secrets: the registered ones, and what stands under the name of one."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        for pattern in (_IN_FORM, _CODE):
            text = pattern.sub(lambda found: f"{found[1]}{found[2]}={MASK}", text)
        text = _IN_JSON.sub(lambda found: f"{found[1]}{MASK}", text)
        return _HIDDEN_INPUT.sub(lambda found: f'{found[1]}"{MASK}"' if _IS_HIDDEN.search(found[0]) else found[0], text)

    def _note(self, response: httpx.Response) -> None:
        request = response.request
        body = response.read().decode("utf-8", "replace")
        exchange = Exchange(
            request.method,
            self.masked(str(request.url)),
            self._headers(request.headers),
            self._body(request.content.decode("utf-8", "replace")),
            response.status_code,
            self._headers(response.headers),
            self._body(body),
        )
        with self._lock:
            self._exchanges.append(exchange)

    def _headers(self, headers: httpx.Headers) -> tuple[tuple[str, str], ...]:
        return tuple(
            (name, _first_word(value) if name.lower() in _SECRET_HEADERS else self.masked(value))
            for name, value in headers.multi_items()
        )

    def _body(self, text: str) -> str:
        masked = self.masked(text)
        return masked if len(masked) <= LONGEST_BODY else f"{masked[:LONGEST_BODY]} ... ({len(text):,} characters)"


def _first_word(value: str) -> str:
    """`Bearer abc` → `Bearer ***`; a cookie without its value."""
    scheme, blank, _ = value.partition(" ")
    return f"{scheme} {MASK}" if blank and "=" not in scheme else MASK


def recorded_client(log: HttpLog, **options: Any) -> httpx.Client:
    """An HTTP client whose exchanges are kept. options: as `httpx.Client` takes them."""
    return log.attach(httpx.Client(**options))
