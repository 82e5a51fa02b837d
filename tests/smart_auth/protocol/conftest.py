"""An authorization server for the tests of its protocol: a Flask application on a real MongoDB, with a clock of its own."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Barrier
from typing import Any, Protocol, TypeVar

import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from pymongo import MongoClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from smart_auth.clients.commands import add_client
from smart_auth.clients.remote_keys import Fetched, KeysUnavailable, RemoteKeys
from smart_auth.endpoints import register_endpoints
from smart_auth.events import Event
from smart_auth.model import Client, Grant, LaunchContext, User
from smart_auth.services import AuthServices
from smart_auth.settings import AuthSettings
from smart_auth.store import AuthStore
from smart_auth.tokens.codes import issue_code

ROOT = "http://localhost:8080"
BASE = f"{ROOT}/fhir"
REDIRECT = "https://app.example.org/callback"
APP_SCOPE = "openid fhirUser launch launch/patient offline_access online_access patient/*.cruds user/*.rs"

Result = TypeVar("Result")


class Together(Protocol):
    def __call__(self, task: Callable[[int], Result], clients: int) -> list[Result]: ...


@dataclass
class Clock:
    """A clock that a test sets forward. milliseconds."""

    now: int = field(default_factory=lambda: time.time_ns() // 1_000_000)

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += int(seconds * 1000)


@dataclass(frozen=True)
class App:
    """A registered client as its developer knows it."""

    id: str
    type: str
    secret: str | None = None

    @property
    def basic(self) -> dict[str, str]:
        pair = base64.b64encode(f"{self.id}:{self.secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}


@dataclass(frozen=True)
class Code:
    """An authorization code with what its app must send along."""

    text: str
    verifier: str
    grant: Grant


@dataclass
class World:
    """One authorization server and the means to use it as apps, users and administrators do."""

    services: AuthServices
    clock: Clock
    events: list[Event]
    http: FlaskClient
    served: dict[str, Any]
    fetched: list[str]
    rsa: RSAKey
    ec: ECKey

    def app(self, kind: str = "public", **values: Any) -> App:
        values.setdefault("scope", "system/*.rs" if kind == "backend" else APP_SCOPE)
        if kind != "backend":
            values.setdefault("redirect_uris", [REDIRECT])
        if kind in ("backend", "confidential-asymmetric") and "jwks_uri" not in values:
            values.setdefault("jwks", self.public_keys())
        made = add_client(self.services, "Test app", kind, **values)  # type: ignore[arg-type]
        return App(made["client_id"], kind, made.get("client_secret"))

    def public_keys(self) -> dict[str, Any]:
        return {"keys": [self.rsa.as_dict(private=False), self.ec.as_dict(private=False)]}

    def user(self, **values: Any) -> User:
        name = secrets.token_hex(8)
        user = User(f"sub-{name}", name, "Ada Test", "practitioner", "-", self.clock(), "Practitioner/1")
        user = replace(user, **values)
        assert self.services.store.users.add(user)
        return user

    def grant(self, app: App, scope: str = "patient/*.rs", user: User | None = None, **values: Any) -> Grant:
        user = user or self.user()
        values.setdefault("context", LaunchContext(patient="p1"))
        values.setdefault("auth_time", self.clock())
        stay = values.setdefault("stay", "none")
        grant = Grant(
            id=secrets.token_hex(16),
            client_id=app.id,
            scope=scope,
            created_at=self.clock(),
            expires_at=self.clock() + self.services.settings.grant_seconds(stay) * 1000,
            sub=user.sub,
            **values,
        )
        self.services.store.grants.add(grant)
        return grant

    def code(self, app: App, scope: str = "patient/*.rs", redirect_uri: str = REDIRECT, **values: Any) -> Code:
        """What the authorization endpoint does when the user has agreed."""
        grant = self.grant(app, scope, **values)
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        return Code(issue_code(self.services, grant, redirect_uri, challenge), verifier, grant)

    def post(self, path: str, form: Any, headers: dict[str, str] | None = None, **values: Any) -> TestResponse:
        # A client a request: threads share nothing but the server.
        return self.http.application.test_client().post(path, data=form, headers=headers, **values)

    def exchange(
        self, app: App, issued: Code, /, headers: dict[str, str] | None = None, **form: str | None
    ) -> TestResponse:
        """Exchange a code as the app would; a member that is None is left out."""
        full: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": issued.text,
            "redirect_uri": REDIRECT,
            "code_verifier": issued.verifier,
            **self.credentials(app),
            **form,
        }
        given = {name: value for name, value in full.items() if value is not None}
        return self.post("/auth/token", given, {**(app.basic if app.secret else {}), **(headers or {})})

    def credentials(self, app: App) -> dict[str, str]:
        if app.type == "public":
            return {"client_id": app.id}
        return {} if app.secret else self.assertion_form(app)

    def tokens(self, app: App, scope: str = "patient/*.rs", **values: Any) -> dict[str, Any]:
        """The answer to a code that was exchanged."""
        answer = self.exchange(app, self.code(app, scope, **values))
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.get_json()
        return body

    def refresh(self, app: App, token: str, /, **form: str) -> TestResponse:
        full = {"grant_type": "refresh_token", "refresh_token": token, **self.credentials(app), **form}
        return self.post("/auth/token", full, app.basic if app.secret else None)

    def assertion(
        self,
        app: App,
        key: Any = None,
        header: dict[str, Any] | None = None,
        algorithm: str | None = None,
        **claims: Any,
    ) -> str:
        """A client assertion; claims and header members that are None are left out."""
        key = key or self.rsa
        algorithm = algorithm or ("RS384" if key.key_type == "RSA" else "ES384")
        now = self.clock() // 1000
        full = {
            "iss": app.id,
            "sub": app.id,
            "aud": f"{ROOT}/auth/token",
            "exp": now + 300,
            "jti": secrets.token_hex(16),
            **claims,
        }
        head = {"alg": algorithm, "kid": key.kid, "typ": "JWT", **(header or {})}
        return jwt.encode(
            {name: value for name, value in head.items() if value is not None},
            {name: value for name, value in full.items() if value is not None},
            key,
            algorithms=[algorithm],
            default_type=None,
        )

    def assertion_form(self, app: App, *args: Any, **values: Any) -> dict[str, str]:
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.assertion(app, *args, **values),
        }

    def backend(self, app: App, scope: str = "system/*.rs", **values: Any) -> TestResponse:
        """Ask for a backend token; values are those of the assertion."""
        form = {"grant_type": "client_credentials", "scope": scope, **self.assertion_form(app, **values)}
        return self.post("/auth/token", form)

    def client(self, app: App) -> Client:
        client = self.services.store.clients.find(app.id)
        assert client is not None
        return client


@pytest.fixture(scope="session")
def shared_store(mongodb: MongoClient[dict[str, Any]]) -> AuthStore:
    """A store for all tests that use clients and users of their own."""
    return AuthStore(mongodb["protocol"])


@pytest.fixture
def database(mongodb: MongoClient[dict[str, Any]]) -> Iterator[Database[dict[str, Any]]]:
    """A database of a test's own."""
    name = f"own-{secrets.token_hex(6)}"
    yield mongodb[name]
    mongodb.drop_database(name)


@pytest.fixture(scope="session")
def keys() -> tuple[RSAKey, ECKey]:
    rsa = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig", "alg": "RS384"}, private=True)
    return rsa, ECKey.generate_key("P-384", {"kid": "ec-1", "use": "sig", "alg": "ES384"}, private=True)


@pytest.fixture
def make_world(keys: tuple[RSAKey, ECKey]) -> Callable[..., World]:
    """Makes an authorization server on a store, with other settings if given."""

    def make(store: AuthStore, clock: Clock | None = None, **settings: Any) -> World:
        clock = clock or Clock()
        events: list[Event] = []
        served: dict[str, Any] = {}
        fetched: list[str] = []

        def fetch(address: str, allow_loopback: bool) -> Fetched:
            fetched.append(address)
            answer = served.get(address)
            if answer is None:
                raise KeysUnavailable("The jwks_uri was answered with status 404; redirects are not followed.")
            return answer if isinstance(answer, Fetched) else Fetched(tuple(answer["keys"]), 300)

        services = AuthServices(
            AuthSettings(BASE, BASE, **settings), store, events.append, clock, remote_keys=RemoteKeys(fetch)
        )
        app = Flask(__name__)
        register_endpoints(app, services)
        return World(services, clock, events, app.test_client(), served, fetched, *keys)

    return make


@pytest.fixture
def world(make_world: Callable[..., World], shared_store: AuthStore) -> World:
    return make_world(shared_store)


@pytest.fixture
def together() -> Together:
    """Runs a task for the numbers from 0 in threads of their own that begin together; the results, in that order."""

    def run(task: Callable[[int], Result], clients: int) -> list[Result]:
        line = Barrier(clients)

        def begin(number: int) -> Result:
            line.wait(60)
            return task(number)

        with ThreadPoolExecutor(clients) as pool:
            return list(pool.map(begin, range(clients)))

    return run
