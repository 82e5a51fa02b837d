"""The application as its server calls it, in this process, and what no answer of it may be."""

from __future__ import annotations

import gzip
import io
import json
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from fhir_server.app import create_app
from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.services import services_for
from fhir_server.settings import Settings
from fhir_server.store.database import connected, prepare_guards
from resources.problem import Problem
from resources.validation import errors_of, validate
from resources.xml import json_from_xml

# Far beyond what any request takes on a busy machine; it only keeps a hang from hanging the run.
HANG_SECONDS = 60
JSON = {"Content-Type": "application/fhir+json"}
CANARY = "Zebrafink"
"""A word that generated resources and queries hold, and no line of the log may."""


@dataclass(frozen=True)
class Request:
    """One request as it goes over the wire; `path` and `query` are Latin-1 text, percent-encoded where they must be."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "body": self.body.decode("latin-1")}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Request:
        return cls(**{**found, "body": found["body"].encode("latin-1")})

    def shown(self) -> str:
        head = f"{self.method} {self.path[:200]!r} ?{self.query[:300]!r}"
        return f"{head} {self.headers!r:.600} {self.body[:3000]!r}"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    def text(self) -> str:
        """The body, unpacked; of XML the same as JSON. Raises ValueError or Problem where it is neither."""
        content = gzip.decompress(self.content) if self.headers.get("Content-Encoding") == "gzip" else self.content
        return json_from_xml(content) if "xml" in self.headers.get("Content-Type", "") else content.decode()


class Application:
    """Sends requests to a Flask application in this process, whose log it keeps."""

    def __init__(self, flask: Flask) -> None:
        self.flask = flask
        self._log = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")

    def send(self, request: Request) -> Answer:
        environ = EnvironBuilder(base_url="http://localhost:8080", data=request.body).get_environ()
        environ["REQUEST_METHOD"] = request.method
        environ["PATH_INFO"] = unquote_to_bytes(request.path.encode("latin-1")).decode("latin-1")
        environ["QUERY_STRING"] = request.query
        for name, value in request.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        with no_hang(), self.logging():
            try:
                content, status, headers = run_wsgi_app(self.flask, environ, buffered=True)
                return Answer(int(status.split()[0]), dict(headers), b"".join(content))
            except Exception as error:  # what even the error handlers did not catch
                return Answer(500, {}, repr(error).encode())

    @contextmanager
    def logging(self) -> Iterator[None]:
        """Keep what is logged in a `with` block."""
        with redirect_stderr(self._log):
            yield

    def faults_in_log(self) -> list[str]:
        """The lines written since the last call that should not be there: faults, and what tells about patients."""
        self._log.flush()
        raw = self._log.buffer
        assert isinstance(raw, io.BytesIO)
        lines = raw.getvalue().decode().splitlines()
        raw.seek(0)
        raw.truncate()
        return [line for line in lines if re.search(rf'"level":"(error|critical)"|Traceback|{CANARY}', line)]


@contextmanager
def no_hang() -> Iterator[None]:
    """Interrupt the block by a TimeoutError should it hang; only the main thread can be interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def raise_timeout(*_: object) -> None:
        raise TimeoutError(f"no answer within {HANG_SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, raise_timeout)
    signal.alarm(HANG_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def application(folder: Path) -> Iterator[Application]:
    """The application on a MongoDB of its own, without authorization."""
    with (
        EmbeddedMongoDB(folder / "data", cache_mb=256) as mongodb,
        connected(mongodb.uri, "fuzz") as database,
    ):
        prepare_guards(database)
        yield Application(create_app(services_for(Settings.from_environ({}), database)))


def fault_of(request: Request, answer: Answer) -> str | None:
    """What is wrong with an answer, whatever the request was; None where nothing is."""
    if answer.status >= 500 and answer.status not in (501, 503):
        return f"status {answer.status}"
    if "X-Request-Id" not in answer.headers:
        return "no X-Request-Id"
    if answer.status < 400 or request.method == "HEAD":
        return None
    try:
        tree = json.loads(answer.text())
    except (ValueError, Problem):
        return f"{answer.status} with a body that cannot be read"
    if tree.get("resourceType") != "OperationOutcome":
        return f"{answer.status} without an OperationOutcome"
    errors = errors_of(validate(tree))
    if errors:
        return f"{answer.status} with an invalid OperationOutcome: {errors[:3]}"
    names_an_element = any(issue.get("expression") for issue in tree["issue"])
    if answer.status == 422 and request.method != "PATCH" and not names_an_element:
        return "422 that names no element"
    return None
