"""A real server with demo data, apps and users, and what the conformance kit is told of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey

from conformance.rest_context import RestContext
from conformance.smart.configuration import Configuration, read_configuration
from conformance.smart.context import SmartContext
from fhir_server.app import create_app
from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.services import services_for
from fhir_server.settings import Settings
from fhir_server.store.database import connected, prepare_guards
from tests.running_server import RunningServer, server_with_demo_data

ORIGIN = "https://app.example.org"
OWN, OTHER = "demo-patient-00000", "demo-patient-00001"
APP_SCOPE = (
    "openid fhirUser profile launch launch/patient launch/encounter offline_access online_access "
    "patient/*.cruds user/*.cruds"
)
PATIENT = {"name": "conformance-patient", "password": "correct horse battery"}
PRACTITIONER = {"name": "conformance-doctor", "password": "staple of the paper"}


@pytest.fixture(scope="session")
def rest_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """An empty server that asks for no tokens."""
    server = RunningServer(tmp_path_factory.mktemp("rest") / "data")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def rest_context(rest_server: RunningServer) -> Iterator[RestContext]:
    """What the checks of the REST API share. In the end, nothing that they made is left."""
    with RestContext(rest_server.base_url) as context:
        yield context
    assert context.left == []


@pytest.fixture(scope="session")
def application(rest_server: RunningServer) -> Iterator[WSGIApplication]:
    """The application in this process, on a database of its own: what the wrong servers are made of."""
    with (
        EmbeddedMongoDB.attach_or_start(rest_server.data_dir, purpose="wrong servers") as mongodb,
        connected(mongodb.uri, "wrong") as database,
    ):
        prepare_guards(database)
        yield create_app(services_for(Settings.from_environ({"FHIR_LOG_LEVEL": "critical"}), database))


@pytest.fixture(scope="session")
def smart_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that asks for tokens, with a handful of demo patients."""
    with server_with_demo_data(tmp_path_factory.mktemp("smart"), 6) as server:
        yield server


@pytest.fixture(scope="session")
def configuration_file(smart_server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kit's configuration; what it names was registered by the server's commands, as an administrator would."""
    folder = tmp_path_factory.mktemp("kit")
    path = folder / "smart.json"
    path.write_text(json.dumps(registered(smart_server, folder)))
    return path


@pytest.fixture(scope="session")
def configuration(configuration_file: Path) -> Configuration:
    """The server's apps and people, as the kit knows them."""
    return read_configuration(configuration_file)


@pytest.fixture(scope="session")
def smart_context(configuration: Configuration) -> Iterator[SmartContext]:
    """What the checks share."""
    with SmartContext(configuration) as context:
        yield context


def registered(server: RunningServer, folder: Path) -> dict[str, Any]:
    """The configuration of the kit for a server, as a JSON object; registers everything that it names."""
    keys = {
        "asymmetric": [_key("RSA", "asymmetric-rsa")],
        "backend": [_key("RSA", "backend-rsa"), _key("EC", "backend-ec")],
    }
    with ThreadPoolExecutor(2) as pool:
        apps = {
            kind: pool.submit(_add_app, server, kind, keys.get(kind, []), folder)
            for kind in ("public", "symmetric", "asymmetric", "backend")
        }
        pool.submit(_add_user, server, PATIENT, "patient", f"Patient/{OWN}").result()
        pool.submit(_add_user, server, PRACTITIONER, "practitioner", "Practitioner/demo-practitioner-0000").result()
        token = server.command("token", "--scope", "system/*.rs").strip()
        answer = httpx.get(
            f"{server.base_url}/Encounter?patient={OWN}&_sort=-date&_count=1",
            headers={"Authorization": f"Bearer {token}"},
        )
        return {
            "base_url": server.base_url,
            **{kind: app.result() for kind, app in apps.items()},
            "patient": PATIENT,
            "practitioner": PRACTITIONER,
            "own_patient": OWN,
            "own_encounter": answer.json()["entry"][0]["resource"]["id"],
            "other_patient": OTHER,
            "patient_search": "Castañeda",
            "launch_page": f"{server.site}/auth/launch",
            "origin": ORIGIN,
        }


def _add_app(server: RunningServer, kind: str, keys: list[dict[str, Any]], folder: Path) -> dict[str, Any]:
    redirect_uri, launch_uri = f"{ORIGIN}/{kind}/callback", f"{ORIGIN}/{kind}/launch"
    client_type = {"public": "public", "backend": "backend"}.get(kind, f"confidential-{kind}")
    options = ["--name", f"Conformance {kind}", "--type", client_type]
    if keys:
        path = folder / f"{kind}.json"
        public = [{name: value for name, value in key.items() if name not in PRIVATE} for key in keys]
        path.write_text(json.dumps({"keys": public}))
        options += ["--jwks", str(path)]
    if kind == "backend":
        made = json.loads(server.command("client", "add", *options, "--scope", "system/*.rs"))
        return {"client_id": made["client_id"], "private_keys": keys}
    options += ["--scope", APP_SCOPE, "--redirect-uri", redirect_uri, "--launch-uri", launch_uri]
    made = json.loads(server.command("client", "add", *options))
    app = {"client_id": made["client_id"], "redirect_uri": redirect_uri, "launch_uri": launch_uri}
    return (
        app
        | ({"secret": made["client_secret"]} if kind == "symmetric" else {})
        | ({"private_keys": keys} if keys else {})
    )


def _add_user(server: RunningServer, person: dict[str, str], role: str, own: str) -> None:
    options = ["--name", person["name"], "--password", person["password"], "--display", "Conformance", "--role", role]
    server.command("user", "add", *options, "--fhir-user", own)


PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi"})


def _key(kind: str, kid: str) -> dict[str, Any]:
    key = RSAKey.generate_key(2048, private=True) if kind == "RSA" else ECKey.generate_key("P-384", private=True)
    return {**key.as_dict(private=True), "kid": kid}
