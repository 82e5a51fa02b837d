"""A running server with users, records and registered apps, and the apps themselves at other origins."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

from tests.running_server import RunningServer

PASSWORD = "correct horse battery"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
APP_SCOPE = (
    "openid fhirUser launch launch/patient launch/encounter offline_access online_access "
    "https://app.example.org/own patient/*.cruds user/*.cruds"
)

USERS = (
    ("ines", "Dr. Inés Ortega", "practitioner", "Practitioner/ortega"),
    ("rosalia", "Rosalía Castañeda", "patient", "Patient/rosalia"),
    ("linnea", "Linnéa Sjögren", "related-person", "RelatedPerson/linnea", "ake", "elsa"),
    ("elsa", "Elsa Sjögren", "patient", "Patient/elsa"),
    ("stanislaw", "Stanisław Wójcik", "patient", "Patient/stanislaw"),
)


@dataclass
class Site:
    """Where everything is. registered: name of an app → what its registration printed."""

    server: RunningServer
    app: str
    other: str
    registered: dict[str, dict[str, Any]] = field(default_factory=dict)
    states: Callable[[], int] = field(default_factory=lambda: count(1).__next__)

    @property
    def root(self) -> str:
        return self.server.site

    @property
    def callback(self) -> str:
        return f"{self.app}/callback"

    def command(self, *arguments: str) -> str:
        """What `fhir-server` prints for the arguments."""
        whole = [sys.executable, "-m", "fhir_server.cli", *arguments]
        done = subprocess.run(whole, env=self.server.environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def register(self, name: str, kind: str, scope: str, *options: str) -> dict[str, Any]:
        """Register an app, as an administrator would."""
        printed = self.command("client", "add", "--name", name, "--type", kind, "--scope", scope, *options)
        self.registered[name] = json.loads(printed)
        return self.registered[name]

    def authorize(self, scope: str, app: str = "Growth Charts", **changed: str) -> str:
        """The address of a good authorization request."""
        given = {
            "response_type": "code",
            "client_id": self.registered[app]["client_id"],
            "redirect_uri": self.callback,
            "scope": scope,
            "state": f"s-{self.states()}",
            "aud": self.server.base_url,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return f"{self.root}/auth/authorize?{urlencode({**given, **changed})}"

    def redeem(self, address: str, app: str = "Growth Charts") -> dict[str, Any]:
        """The answer of the token endpoint for the code in the address that a browser ended at."""
        return self.token(
            app,
            grant_type="authorization_code",
            code=parse_qs(urlsplit(address).query)["code"][0],
            redirect_uri=self.callback,
            code_verifier=VERIFIER,
        )

    def token(self, app: str, expected: int = 200, **form: str) -> dict[str, Any]:
        """What the token endpoint answers to a public app."""
        form["client_id"] = self.registered[app]["client_id"]
        answer = httpx.post(f"{self.root}/auth/token", data=form)
        assert answer.status_code == expected, answer.text
        return answer.json()

    def get(self, path: str, token: str) -> httpx.Response:
        """Read from the FHIR base."""
        return httpx.get(f"{self.server.base_url}/{path}", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def prepare(site: Site) -> None:
    """Add the records, the users and the apps, by the commands that an administrator has."""

    def add_user(name: str, display: str, role: str, own: str | None, *patients: str) -> None:
        options = [*(["--fhir-user", own] if own else []), *(part for each in patients for part in ("--patient", each))]
        named = ("--name", name, "--display", display, "--role", role, "--password", PASSWORD)
        site.command("user", "add", *named, *options)

    with ThreadPoolExecutor(2) as pool:
        tasks = [pool.submit(add_records, site)]
        tasks += [pool.submit(add_user, *user) for user in USERS]
        tasks.append(
            pool.submit(
                *(site.register, "Growth Charts", "public", APP_SCOPE),
                *("--redirect-uri", site.callback, "--launch-uri", f"{site.app}/begin"),
                *("--publisher", "Example Health Apps, Inc."),
                *("--policy-uri", "https://app.example.org/privacy", "--tos-uri", "https://app.example.org/terms"),
            )
        )
        tasks.append(
            pool.submit(
                *(site.register, "Own Page", "public", APP_SCOPE),
                *("--redirect-uri", f"{site.app}/app", "--launch-uri", f"{site.app}/launch"),
            )
        )
        for task in tasks:
            task.result()


def add_records(site: Site) -> None:
    """Four patients that tests name, more that fill a list, and what belongs to them."""
    token = site.command("token", "--scope", "system/*.cruds").strip()
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
        for each in records()
    ]
    answer = httpx.post(
        site.server.base_url,
        json={"resourceType": "Bundle", "type": "transaction", "entry": entries},
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text


def records() -> list[dict[str, Any]]:
    """The resources of the site."""
    people = [
        person("Patient", "rosalia", "Rosalía Inés", "Castañeda", "female", "1969-03-05", "MRN-10001"),
        person("Patient", "ake", "Åke", "Sjögren", "male", "2019-07-21", "MRN-10002"),
        person("Patient", "elsa", "Elsa", "Sjögren", "female", "2022-02-02", "MRN-10007"),
        person("Patient", "stanislaw", "Stanisław", "Wójcik", "male", "1944-11-30", "MRN-10003"),
        person("Practitioner", "ortega", "Inés", "Ortega", "female", "1980-01-01", "D-1"),
        {
            **person("RelatedPerson", "linnea", "Linnéa", "Sjögren", "female", "1990-01-01", "R-1"),
            "patient": {"reference": "Patient/ake"},
        },
        *(
            person("Patient", f"more-{n}", f"Given{'abcdefghijklmnopqrstuvwxyz'[n]}", "Zeppelin", "male", None, f"Z{n}")
            for n in range(25)
        ),
    ]
    return [
        *people,
        visit("visit-1", "rosalia", "EMER", "Emergency", "2026-03-12T22:10:00Z", "Chest pain"),
        visit("visit-2", "rosalia", "AMB", "Outpatient visit", "2026-05-04T09:30:00+01:00", "Diabetes, yearly check"),
        visit("stay-1", "stanislaw", "IMP", "Inpatient stay", "2026-05-01", "Heart failure"),
        observation("glucose", "rosalia", "laboratory", "Glucose"),
        observation("weight", "rosalia", "vital-signs", "Body weight"),
        observation("fever", "ake", "vital-signs", "Body temperature"),
    ]


def person(kind: str, key: str, given: str, family: str, sex: str, born: str | None, number: str) -> dict[str, Any]:
    return {
        "resourceType": kind,
        "id": key,
        "name": [{"use": "official", "family": family, "given": given.split()}],
        "gender": sex,
        "identifier": [{"system": "urn:example:numbers", "value": number}],
        **({"birthDate": born} if born else {}),
    }


def visit(key: str, patient: str, code: str, words: str, start: str, reason: str) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": key,
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": code},
        "type": [{"text": words}],
        "subject": {"reference": f"Patient/{patient}"},
        "reasonCode": [{"text": reason}],
        "period": {"start": start},
    }


def observation(key: str, patient: str, category: str, words: str) -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    return {
        "resourceType": "Observation",
        "id": key,
        "status": "final",
        "category": [{"coding": [{"system": system, "code": category}]}],
        "code": {"text": words},
        "subject": {"reference": f"Patient/{patient}"},
        "valueQuantity": {"value": 42},
    }


class Served:
    """A Flask application at a free port of this machine."""

    def __init__(self, app: Flask) -> None:
        self._server: BaseWSGIServer = make_server("127.0.0.1", 0, app, threaded=True)
        self._server.log_startup = lambda: None
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        # Another host name than the server's, so that its cookies do not come along.
        self.address = f"http://localhost:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
