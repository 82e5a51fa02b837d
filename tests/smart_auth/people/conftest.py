"""The people side for tests: a Flask application on a real MongoDB, records in memory, and a browser without a screen."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from pymongo import MongoClient
from werkzeug.test import TestResponse

from smart_auth.clients.commands import add_client
from smart_auth.endpoints import register_endpoints
from smart_auth.events import Event
from smart_auth.model import Client, Grant, User
from smart_auth.people import EncounterLine, PatientLine, PatientSearch, desk, passwords, register_people
from smart_auth.people.rendering import Pages
from smart_auth.people.sessions import session_check
from smart_auth.people.user_commands import DemoUser, add_demo_users
from smart_auth.services import AuthServices
from smart_auth.settings import AuthSettings
from smart_auth.store import AuthStore

ROOT = "http://localhost:8080"
BASE = f"{ROOT}/fhir"
REDIRECT = "https://app.example.org/callback"
PASSWORD = "correct horse battery"
APP_SCOPE = (
    "openid fhirUser launch launch/patient launch/encounter offline_access online_access patient/*.cruds user/*.cruds"
)
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()

LATE = ("skips_consent", "is_active", "is_demo", "publisher", "policy_uri", "tos_uri")

USERS = (
    DemoUser("ines", PASSWORD, "Dr. Inés Ortega", "practitioner", "Practitioner/ortega"),
    DemoUser("rosalia", PASSWORD, "Rosalía Castañeda", "patient", "Patient/rosalia"),
    DemoUser("linnea", PASSWORD, "Linnéa Sjögren", "related-person", "RelatedPerson/linnea", ("ake", "elsa")),
    DemoUser("root", PASSWORD, "Administrator", "administrator", None),
    DemoUser("lost", PASSWORD, "No Record", "patient", "Patient/gone"),
)


@dataclass
class Clock:
    """A clock that a test sets forward. milliseconds."""

    now: int = field(default_factory=lambda: time.time_ns() // 1_000_000)

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += int(seconds * 1000)


class MemoryRecords:
    """Records of four patients."""

    patients = {
        line.id: line
        for line in (
            PatientLine("rosalia", "Rosalía Inés Castañeda", "1969-03-05", "female", "MRN-10001"),
            PatientLine("ake", "Åke Sjögren", "2019-07-21", "male", "MRN-10002"),
            PatientLine("elsa", "Elsa Sjögren", "2022-02-02", "female", "MRN-10007"),
            PatientLine("stanislaw", "Stanisław Wójcik", "1944-11-30", "male", "MRN-10003"),
        )
    }
    visits = {
        "rosalia": [
            EncounterLine(
                "visit-2", "Outpatient visit", "finished", "2027-03-04T09:30:00+01:00", None, "Diabetes", "Room 3"
            ),
            EncounterLine("visit-1", "Emergency", "finished", "2026-11-12T22:10:00Z", None, "Chest pain"),
        ],
        "stanislaw": [EncounterLine("stay-1", "Inpatient stay", "in-progress", "2027-03-01", None, "Heart failure")],
    }

    def find_patients(self, search: PatientSearch, user: User) -> Sequence[PatientLine]:
        words = [word.casefold() for word in (*search.names, *search.identifiers)]
        return [
            line
            for line in self.patients.values()
            if all(word in f"{line.name} {line.identifier}".casefold() for word in words)
            and search.birth_date in (None, line.birth_date)
        ]

    def patient(self, patient_id: str) -> PatientLine | None:
        return self.patients.get(patient_id)

    def encounters(self, patient_id: str) -> Sequence[EncounterLine]:
        return self.visits.get(patient_id, [])

    def encounter(self, encounter_id: str, patient_id: str) -> EncounterLine | None:
        return next((visit for visit in self.encounters(patient_id) if visit.id == encounter_id), None)

    def user_display(self, user: User) -> str | None:
        return None


class _Fields(HTMLParser):
    """Reads the form that is posted to an address: what a browser would send if nothing was changed."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.inside, self.found = action, False, False
        self.fields: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and given.get("action") == self.action and not self.found:
            self.inside = self.found = True
        if tag == "input" and self.inside and given.get("name"):
            if given.get("type") in ("checkbox", "radio") and "checked" not in given:
                return
            self.fields.append((str(given["name"]), given.get("value") or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False


@dataclass
class Browser:
    """Somebody at a browser: keeps cookies, fills in forms, stops at the doors of other sites."""

    http: FlaskClient
    address: str

    def get(self, path: str, **query: str) -> TestResponse:
        return self.http.get(path, query_string=query or None, environ_base=self._environ())

    def post(self, path: str, form: Any, **values: Any) -> TestResponse:
        return self.http.post(path, data=form, environ_base=self._environ(), **values)

    def _environ(self) -> dict[str, str]:
        return {"REMOTE_ADDR": self.address}

    def follow(self, answer: TestResponse) -> TestResponse:
        """Go where answers of ours lead, as far as that is one of our pages."""
        while answer.status_code in (302, 303) and answer.location.startswith("/"):
            answer = self.get(answer.location)
        return answer

    def submit(self, page: TestResponse, target: str, /, **changed: Any) -> TestResponse:
        """Send a form of a page with some fields changed: None leaves one out, a list sends several."""
        reader = _Fields(target)
        reader.feed(page.text)
        assert reader.found, f"There is no form for {target} in:\n{page.text}"
        fields = [(name, value) for name, value in reader.fields if name not in changed]
        for name, value in changed.items():
            for each in [] if value is None else value if isinstance(value, list) else [value]:
                fields.append((name, each))
        return self.post(target, urlencode(fields), content_type="application/x-www-form-urlencoded")

    def sign_in(self, page: TestResponse, name: str, password: str = PASSWORD) -> TestResponse:
        return self.follow(self.submit(page, "/auth/sign-in", name=name, password=password))

    def signed_in(self, name: str) -> TestResponse:
        """Sign in for the page of connected apps."""
        answer = self.sign_in(self.get("/auth/sign-in"), name)
        assert answer.status_code == 200, answer.text
        return answer

    def secret(self) -> str | None:
        cookie = self.http.get_cookie("fhir-session")
        return cookie.value if cookie else None


@dataclass
class World:
    """An authorization server with its users, an app, and the means to look behind the scenes."""

    services: AuthServices
    clock: Clock
    events: list[Event]
    app: Flask

    def browser(self) -> Browser:
        # An address of its own, so that no test uses up another's attempts to sign in.
        return Browser(self.app.test_client(), f"2001:db8::{secrets.token_hex(2)}:{secrets.token_hex(2)}")

    def client(self, kind: str = "public", **values: Any) -> Client:
        """A registered app; fields that the command does not know are set afterwards."""
        values.setdefault("scope", APP_SCOPE)
        values.setdefault("redirect_uris", [REDIRECT])
        late = {name: values.pop(name) for name in LATE if name in values}
        made = add_client(self.services, values.pop("name", "Growth Charts"), kind, **values)  # type: ignore[arg-type]
        client = self.services.store.clients.find(made["client_id"])
        assert client is not None
        client = replace(client, **late)
        self.services.store.clients.replace(client)
        return client

    def request(self, client: Client, **changed: str | None) -> dict[str, str]:
        """The parameters of a good authorization request, some changed; None leaves one out."""
        full: dict[str, str | None] = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": REDIRECT,
            "scope": "launch/patient patient/Observation.rs",
            "state": "s-1",
            "aud": BASE,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changed,
        }
        return {name: value for name, value in full.items() if value is not None}

    def user(self, name: str) -> User:
        user = self.services.store.users.find_by_name(name)
        assert user is not None
        return user

    def grant_of(self, code: str) -> Grant:
        found = self.services.store.codes.find(code, self.clock())
        assert found.value is not None
        grant = self.services.store.grants.find(found.value.grant_id)
        assert grant is not None
        return grant

    def codes(self) -> list[str]:
        return [event.code for event in self.events]


def answer_to_app(answer: TestResponse, redirect_uri: str = REDIRECT) -> dict[str, str]:
    """What the app is told by a redirect to it."""
    assert answer.status_code == 303, answer.text
    assert answer.location.startswith(redirect_uri), answer.location
    return dict(parse_qsl(urlsplit(answer.location).query, keep_blank_values=True))


def words(page: TestResponse) -> str:
    """The text of a page, without marks and with single blanks."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", page.text)))


@pytest.fixture(name="answer_to_app")
def _answer_to_app() -> Callable[..., dict[str, str]]:
    return answer_to_app


@pytest.fixture(name="words")
def _words() -> Callable[[TestResponse], str]:
    return words


@pytest.fixture(scope="session", autouse=True)
def _quick() -> Iterator[None]:
    """Passwords of Argon2id all the same, but at its least cost, and the templates of a base path compiled once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        patch.setattr(desk, "Pages", cache(Pages))
        yield


@pytest.fixture
def full_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords at the cost that they have outside of tests."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher())


@pytest.fixture(scope="session")
def store(mongodb: MongoClient[dict[str, Any]]) -> AuthStore:
    return AuthStore(mongodb["people"])


@pytest.fixture(scope="session")
def make_world(store: AuthStore) -> Callable[..., World]:
    """Makes an authorization server with all of USERS, on other settings if given."""

    def make(base: str = BASE, records: Any = None, clock: Any = None, **settings: Any) -> World:
        clock = clock or Clock()
        events: list[Event] = []
        services = AuthServices(
            AuthSettings(base, base, **settings),
            store,
            events.append,
            clock,
            is_session_live=session_check(store, clock),
        )
        add_demo_users(services, USERS)
        app = Flask("people-test", static_folder=None)
        register_endpoints(app, services)
        register_people(app, services, records or MemoryRecords())
        return World(services, clock, events, app)

    return make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


@pytest.fixture
def browser(world: World) -> Browser:
    return world.browser()
