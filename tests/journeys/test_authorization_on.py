"""A server as it starts by itself: with authorization, the demo's users and app, and rules for who may reach it."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import httpx
import pytest

from fhir_server.embedded_mongodb import EmbeddedMongoDB
from tests.journeys.conftest import RunningServer

pytestmark = pytest.mark.xdist_group("authorization on")
APP = "https://app.example.org"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = RunningServer(tmp_path_factory.mktemp("on"), settings={"FHIR_AUTH": ""}, options=("--demo-if-empty",))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def command(server):
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        whole = [sys.executable, "-m", "fhir_server.cli", *arguments]
        return subprocess.run(whole, env=server.environ, capture_output=True, text=True)

    return run


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_what_is_printed_at_the_start_is_a_line_that_works(server):
    printed = server.log.read_text()
    token = re.search(r"TOKEN=(\S+)", printed)[1]
    address = re.search(r"curl .*'(http[^']+)'", printed)[1]
    assert httpx.get(address).status_code == 401
    answer = httpx.get(address, headers=bearer(token))
    assert answer.status_code == 200
    assert [entry["resource"]["resourceType"] for entry in answer.json()["entry"]] == ["Patient", "Patient"]
    assert httpx.delete(f"{server.base_url}/Patient/demo-patient-00000", headers=bearer(token)).status_code == 403
    for name in ("doctor", "rosalia", "linnea", "admin"):
        assert f"{name} / demo-{name}" in printed


def test_the_demo_app_is_there_and_registered(server, command):
    page = httpx.get(f"{server.site}/demo-app/")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert httpx.get(f"{server.site}/demo-app/app.js").headers["Content-Type"].startswith("text/javascript")
    (app,) = (each for each in json.loads(command("client", "list").stdout) if each["client_id"] == "demo-app")
    assert app["redirect_uris"] == [f"{server.site}/demo-app/"]


def test_a_server_that_has_the_demo_users_is_not_opened_to_others(server):
    with EmbeddedMongoDB.attach_or_start(server.data_dir, purpose="test") as mongodb:
        exposed = {
            **server.environ,
            "FHIR_MONGODB_URI": mongodb.uri,
            "FHIR_BASE_URL": "https://fhir.example.org/fhir",
        }
        run = [sys.executable, "-m", "fhir_server.cli", "run"]
        refused = subprocess.run(run, env=exposed, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1
    assert "demo's users (admin, doctor, linnea, rosalia)" in " ".join(refused.stderr.split())


def test_a_token_by_command_is_of_a_user_and_a_client(server, command):
    body = ("client", "add", "--name", "An app", "--type", "public", "--redirect-uri", f"{APP}/back")
    app = json.loads(command(*body, "--scope", "openid user/Patient.rs").stdout)["client_id"]
    made = command("token", "--scope", "user/Patient.rs", "--user", "rosalia", "--client", app)
    assert made.stdout.count("\n") == 1
    found = httpx.get(f"{server.base_url}/Patient", headers=bearer(made.stdout.strip())).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == ["demo-patient-00000"]
    for arguments, reason in (
        (("--user", "nobody"), "no user"),
        (("--user", "rosalia", "--client", "none"), "no active client"),
        (("--user", "rosalia", "--client", app, "--scope", "user/*.cruds"), None),
        (("--user", "rosalia", "--client", app, "--scope", "user/Encounter.rs"), "cannot be granted to this client"),
        ((), "needs a user"),
    ):
        refused = command("token", "--scope", "user/Patient.rs", *arguments)
        assert (refused.returncode == 0) == (reason is None)
        assert (reason or "") in refused.stderr


def test_pages_of_registered_apps_may_call_the_api_and_no_others(server, command):
    command("client", "add", "--name", "B", "--type", "public", "--redirect-uri", f"{APP}/b", "--scope", "patient/*.rs")
    for path, status in (("/Patient", 401), ("/Patient/x", 401), ("/Nothing", 404)):
        answer = httpx.get(server.base_url + path, headers={"Origin": APP})
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        assert "WWW-Authenticate" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Origin" in answer.headers["Vary"]
        other = httpx.get(server.base_url + path, headers={"Origin": "http://localhost:3000"})
        assert "Access-Control-Allow-Origin" not in other.headers
    asked = {"Origin": APP, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}
    preflight = httpx.options(f"{server.base_url}/Patient/x", headers=asked)
    assert preflight.status_code == 200
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    public = httpx.get(f"{server.base_url}/metadata", headers={"Origin": "https://anywhere.example.org"})
    assert public.headers["Access-Control-Allow-Origin"] == "*"


def test_the_statement_names_the_addresses_that_the_smart_configuration_does(server):
    configuration = httpx.get(f"{server.base_url}/.well-known/smart-configuration").json()
    security = httpx.get(f"{server.base_url}/metadata").json()["rest"][0]["security"]
    assert security["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"
    addresses = {each["url"]: each["valueUri"] for each in security["extension"][0]["extension"]}
    assert addresses == {
        "authorize": configuration["authorization_endpoint"],
        "token": configuration["token_endpoint"],
        "introspect": configuration["introspection_endpoint"],
        "revoke": configuration["revocation_endpoint"],
        "manage": configuration["management_endpoint"],
    }


def test_a_connection_goes_on_after_a_body_that_was_refused_for_want_of_a_token(server):
    body = b'{"resourceType":"Patient"}'.ljust(100_000)
    with server.client() as client:
        for _ in range(20):
            answer = client.post("/Patient", content=body, headers={"Content-Type": "application/fhir+json"})
            assert answer.status_code == 401
            assert client.get("/metadata").status_code == 200
