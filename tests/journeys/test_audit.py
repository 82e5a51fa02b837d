"""The audit end to end: what is done over HTTP is found by an administrator's search, once, and by nobody else's.

https://hl7.org/fhir/R4/auditevent.html
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from fhir_server.authorization import make_auth_services
from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.embedded_mongodb.data_dir import DataDir
from fhir_server.settings import Settings
from fhir_server.store.database import connected
from resources.document import parse_document
from resources.validation import errors_of, validate
from smart_auth.clients.commands import add_client
from smart_auth.model import Role
from smart_auth.people.user_commands import add_user, sub_of
from smart_auth.tokens.by_hand import issue_token
from tests.running_server import RunningServer

pytestmark = pytest.mark.xdist_group("audit")
PASSWORD = "correct horse battery"
REDIRECT = "http://127.0.0.1/back"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
TAKEN_WITHIN_SECONDS = 60


class Audited:
    """A server with authorization, tokens for it, and what its audit says. To be closed; the server lives on."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.opened = ExitStack()
        mongodb = self.opened.enter_context(EmbeddedMongoDB.attach_or_start(server.data_dir, purpose="test"))
        settings = Settings.from_environ(server.environ)
        # What a command would do, without starting a process for each.
        self.auth = make_auth_services(settings, self.opened.enter_context(connected(mongodb.uri, settings.database)))

    def close(self) -> None:
        self.opened.close()

    def with_token(self, token: str | None, base_url: str | None = None) -> httpx.Client:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        client = self.server.client()
        client.headers.update(headers)
        client.base_url = base_url or client.base_url
        return self.opened.enter_context(client)

    def holder_of(self, scope: str, user: str | None = None, patient: str | None = None) -> httpx.Client:
        sub = None if user is None else sub_of(self.auth, user)
        return self.with_token(issue_token(self.auth, scope, sub, patient)["access_token"])

    def add_users(self) -> None:
        own: dict[str, tuple[Role, str | None]]
        own = {"root": ("administrator", None), "doctor": ("practitioner", "Practitioner/d")}
        for name, (role, fhir_user) in own.items():
            add_user(self.auth, name=name, password=PASSWORD, display=name.title(), role=role, fhir_user=fhir_user)

    def wait_until_taken(self) -> None:
        """Wait until whatever is in the journal is in the store."""
        folder = Path(self.server.environ["FHIR_DATA_DIR"]) / "audit"
        deadline = time.monotonic() + TAKEN_WITHIN_SECONDS
        while any(_left(path) for path in folder.glob("*.journal")):
            assert time.monotonic() < deadline, "waited too long"
            time.sleep(0.05)


def _left(path: Path) -> int:
    try:
        noted = path.with_suffix(".taken")
        return path.stat().st_size - (int(noted.read_text() or 0) if noted.exists() else 0)
    except FileNotFoundError:
        return 0  # removed, because all of it is taken


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    server = RunningServer(tmp_path_factory.mktemp("audit"), settings={"FHIR_AUTH": "on"})
    audited = Audited(server)
    audited.add_users()
    yield audited
    audited.close()
    server.stop()


@pytest.fixture(scope="module")
def admin(audited: Audited) -> httpx.Client:
    return audited.holder_of("user/*.cruds", "root")


@pytest.fixture(scope="module")
def system(audited: Audited) -> httpx.Client:
    """An app that may do everything but administer; two patients with an Observation each are there."""
    client = audited.holder_of("system/*.cruds")
    for patient in ("one", "two"):
        assert client.put(f"/Patient/{patient}", json={"resourceType": "Patient", "id": patient}).status_code == 201
        assert client.put(f"/Observation/{patient}-o", json=observation(patient, f"{patient}-o")).status_code == 201
    return client


def observation(patient: str, own_id: str | None = None) -> dict[str, Any]:
    subject = {"reference": f"Patient/{patient}"}
    named = {} if own_id is None else {"id": own_id}
    return {"resourceType": "Observation", **named, "status": "final", "code": {"text": "x"}, "subject": subject}


def events(audited: Audited, admin: httpx.Client, query: str = "") -> list[dict[str, Any]]:
    """The AuditEvents that a search finds, oldest first, each a valid resource."""
    audited.wait_until_taken()
    found: list[dict[str, Any]] = []
    url: str | None = f"/AuditEvent?_sort=date&_count=500&{query}"
    while url is not None:
        answer = admin.get(url)
        assert answer.status_code == 200, answer.text
        bundle = answer.json()
        found += [entry["resource"] for entry in bundle.get("entry", [])]
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
    for event in found:
        assert errors_of(validate(parse_document(json.dumps(event)).tree)) == []
    return found


def of_request(audited: Audited, admin: httpx.Client, answer: httpx.Response) -> list[dict[str, Any]]:
    """The AuditEvents of the request that was answered so."""
    return events(audited, admin, f"entity:identifier={answer.headers['X-Request-Id']}")


def request_of(event: dict[str, Any]) -> str:
    return next(e["what"]["identifier"]["value"] for e in event["entity"] if e["type"]["code"] == "XrequestId")


def references(event: dict[str, Any]) -> list[str]:
    return [e["what"]["reference"] for e in event.get("entity", []) if "reference" in e.get("what", {})]


def subtypes(event: dict[str, Any]) -> list[str]:
    return [coding["code"] for coding in event["subtype"]]


def query_of(event: dict[str, Any]) -> str:
    return base64.b64decode(next(e["query"] for e in event["entity"] if "query" in e)).decode()


class Visitor:
    """Somebody at a browser without scripts, who signs in and agrees to what an app asks for."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def go(self, method: str, path: str, **values: Any) -> httpx.Response:
        answer = self.http.request(method, path, **values)
        while answer.status_code in (302, 303) and answer.headers["Location"].startswith("/"):
            answer = self.http.get(answer.headers["Location"])
        return answer

    def send(self, page: httpx.Response, action: str, **filled: str) -> httpx.Response:
        """Send the form of a page as it stands, with some fields filled in."""
        (form,) = re.findall(rf'<form[^>]*action="{action}".*?</form>', page.text, re.DOTALL)
        fields: dict[str, list[str]] = {}
        for name, value in _inputs(form):
            fields.setdefault(name, []).append(html.unescape(value))
        return self.go("POST", action, data={**fields, **filled})


def _inputs(form: str) -> Iterator[tuple[str, str]]:
    for tag in re.findall(r"<input[^>]*>", form):
        given = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if "name" in given and (given.get("type") not in ("checkbox", "radio") or "checked" in tag):
            yield given["name"], given.get("value", "")


def asked_by(app: dict[str, Any], audited: Audited) -> dict[str, str]:
    """The parameters with which an app asks for all that it is registered for."""
    return {"response_type": "code", "client_id": app["client_id"], "redirect_uri": REDIRECT, "state": "s-123456789",
            "scope": app["scope"], "aud": audited.server.base_url, "code_challenge": CHALLENGE,
            "code_challenge_method": "S256"}  # fmt: skip


def test_sign_in_consent_and_the_life_of_tokens(audited: Audited, admin: httpx.Client) -> None:
    app = add_client(
        audited.auth, "Growth", "public", scope="openid offline_access user/Patient.rs", redirect_uris=[REDIRECT]
    )
    site = audited.with_token(None, audited.server.site)
    visitor = Visitor(audited.with_token(None, audited.server.site))
    page = visitor.go("GET", "/auth/authorize", params=asked_by(app, audited))
    page = visitor.send(page, "/auth/sign-in", name="doctor", password="wrong")
    page = visitor.send(page, "/auth/sign-in", name="doctor", password=PASSWORD)
    back = visitor.send(page, "/auth/consent", decision="allow")
    assert "Location" in back.headers, back.text
    code = parse_qs(urlsplit(back.headers["Location"]).query)["code"][0]
    exchange = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT,
                "code_verifier": VERIFIER, "client_id": app["client_id"]}  # fmt: skip
    first = site.post("/auth/token", data=exchange).json()
    refresh = {"grant_type": "refresh_token", "client_id": app["client_id"], "refresh_token": first["refresh_token"]}
    second = site.post("/auth/token", data=refresh).json()
    site.post("/auth/token", data={**refresh, "refresh_token": second["refresh_token"]})
    assert site.post("/auth/token", data=refresh).json()["error"] == "invalid_grant"  # used twice over: theft

    found = events(audited, admin, f"agent:identifier={app['client_id']}")
    told = [(subtypes(event)[-1], event["outcome"]) for event in found]
    assert told[:4] == [("consent", "0"), ("token-issue", "0"), ("token-refresh", "0"), ("token-refresh", "0")]
    assert sorted(told[4:]) == [("replay", "8"), ("token-revoke", "0")]  # at one moment
    granted = [event for event in found if event["outcome"] == "0"]
    assert [event["agent"][0].get("altId") for event in granted] == ["doctor"] * 5
    assert all(event["agent"][-1]["network"]["address"] == "127.0.0.1" for event in found)
    (change,) = events(audited, admin, f"entity:identifier={app['client_id']}&subtype=client-change")
    assert change["agent"][0]["name"] == "A command on the server"
    signed_in = events(audited, admin, "altid=doctor&subtype=sign-in")
    assert [(event["outcome"], event["agent"][0]["who"]["reference"]) for event in signed_in] == [
        ("4", "Practitioner/d"),
        ("0", "Practitioner/d"),
    ]
    secrets = [PASSWORD, code, VERIFIER, *(answer[name] for answer in (first, second) for name in answer
                                           if name.endswith("token"))]  # fmt: skip
    everything = json.dumps(events(audited, admin))
    assert [secret for secret in secrets if secret in everything] == []


def test_patients_that_a_page_shows(audited: Audited, admin: httpx.Client, system: httpx.Client) -> None:
    app = add_client(audited.auth, "Picker", "public", scope="launch/patient patient/*.rs", redirect_uris=[REDIRECT])
    visitor = Visitor(audited.with_token(None, audited.server.site))
    page = visitor.go("GET", "/auth/authorize", params=asked_by(app, audited))
    page = visitor.send(page, "/auth/sign-in", name="doctor", password=PASSWORD)
    assert 'value="two"' in page.text
    (event,) = events(audited, admin, "altid=doctor&type=rest")
    assert query_of(event).startswith("Patient?")
    assert {"Patient/one", "Patient/two"} <= set(references(event))
    assert event["agent"][0]["requestor"] is True


def test_whatever_is_done_with_resources(audited: Audited, admin: httpx.Client, system: httpx.Client) -> None:
    created = system.post("/Observation", json=observation("one"))
    own = created.headers["Location"].split("/Observation/")[1].split("/")[0]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    whole = f"Observation/{own}/_history"
    condition = {"resourceType": "Patient", "identifier": [{"value": "x-1"}]}
    expectations: list[tuple[httpx.Response, str, str, str, list[str] | None]] = [
        (created, "create", "C", "0", ["Patient/one", f"{whole}/1"]),
        (system.get(f"/Observation/{own}"), "read", "R", "0", ["Patient/one", f"{whole}/1"]),
        (system.put(f"/Observation/{own}", json=observation("two", own)), "update", "U", "0", ["Patient/two", f"{whole}/2"]),
        (system.get(f"/Observation/{own}/_history/1"), "vread", "R", "0", ["Patient/one", f"{whole}/1"]),
        (system.get(f"/Observation/{own}", headers={"If-None-Match": 'W/"2"'}), "read", "R", "0",
         ["Patient/two", f"{whole}/2"]),
        (system.get(f"/Observation/{own}/_history"), "history-instance", "R", "0",
         ["Patient/one", "Patient/two", f"Observation/{own}"]),
        (system.get("/Observation/_history?_count=1"), "history-type", "R", "0", ["Patient/two"]),
        (system.get("/_history?_count=1"), "history-system", "R", "0", ["Patient/two"]),
        (system.get("/Observation?subject=Patient/one&_include=Observation:subject"), "search-type", "E", "0",
         ["Patient/one"]),
        (system.post("/Observation/_search", content="subject=Patient/none", headers=form), "search-type", "E", "0", []),
        (system.get("/Patient/one/Observation"), "search-type", "E", "0", ["Patient/one"]),
        (system.get("/?_type=Patient,Observation&_id=two"), "search-system", "E", "0", ["Patient/two"]),
        (system.delete(f"/Observation/{own}"), "delete", "D", "0", ["Patient/two", f"{whole}/3"]),
        (system.get(f"/Observation/{own}"), "read", "R", "4", ["Patient/two", f"Observation/{own}"]),
        (system.get("/Observation/none"), "read", "R", "4", ["Observation/none"]),
        (system.put("/Patient?identifier=x-1", json=condition), "update", "U", "0", None),
        (system.delete("/Patient?identifier=x-1"), "delete", "D", "0", None),
        (system.post("/Patient", json={"resourceType": "Patient", "gender": "x"}), "create", "C", "4", []),
    ]  # fmt: skip
    found = {request_of(event): event for event in events(audited, admin, "type=rest")}
    for answer, code, action, outcome, expected in expectations:
        event = found[answer.headers["X-Request-Id"]]
        assert (subtypes(event), event["action"], event["outcome"]) == ([code], action, outcome)
        assert expected is None or sorted(references(event)) == sorted(expected), answer.url
        assert event["agent"][0]["altId"] == "fhir-server-token"


def test_the_query_of_a_search_is_in_its_event_and_in_no_log(
    audited: Audited, admin: httpx.Client, system: httpx.Client
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = system.post("/Patient/_search?name=Quixote", content="birthdate=1947&access_token=t0ken", headers=form)
    (event,) = of_request(audited, admin, answer)
    assert query_of(event) == "Patient?name=Quixote&birthdate=1947&access_token="
    log = audited.server.log.read_text()
    assert "Quixote" not in log
    assert "t0ken" not in log


def test_each_entry_of_a_bundle(audited: Audited, admin: httpx.Client, system: httpx.Client) -> None:
    entries = [
        {"request": {"method": "GET", "url": "Patient/one"}},
        {"request": {"method": "GET", "url": "Patient/two"}},
        {"request": {"method": "GET", "url": "Observation?subject=Patient/one"}},
        {"request": {"method": "GET", "url": "AuditEvent"}},
        {"request": {"method": "GET", "url": "Patient/none"}},
        {"request": {"method": "POST", "url": "Observation"}, "resource": observation("one")},
        {"request": {"method": "GET", "url": "Nothing/1"}},
    ]
    answer = system.post("", json={"resourceType": "Bundle", "type": "batch", "entry": entries})
    found = [(subtypes(e), e["outcome"], references(e)) for e in of_request(audited, admin, answer)]
    created = answer.json()["entry"][5]["response"]["location"].split("/fhir/")[1]
    assert len(found) == 6
    for expected in [
        (["read"], "0", ["Patient/one/_history/1", "Patient/two/_history/1"]),
        (["search-type"], "0", ["Patient/one"]),
        (["search-type", "denied"], "8", []),
        (["read"], "4", ["Patient/none"]),
        (["create"], "0", ["Patient/one", created]),
        (["operation"], "4", []),
    ]:
        assert expected in found
    answer = system.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries[5:6] * 2})
    (event,) = of_request(audited, admin, answer)
    assert subtypes(event) == ["create"]
    assert len(references(event)) == 3
    answer = system.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries[3:6]})
    assert answer.status_code == 403
    (event,) = of_request(audited, admin, answer)
    assert (subtypes(event), event["outcome"]) == (["transaction", "denied"], "8")


def test_nobody_but_an_administrator_sees_any_of_it(
    audited: Audited, admin: httpx.Client, system: httpx.Client
) -> None:
    event = events(audited, admin, "patient=Patient/one")[0]
    assert admin.get(f"/AuditEvent/{event['id']}").json() == event
    assert admin.get(f"/AuditEvent/{event['id']}/_history").json()["total"] == 1
    assert admin.get("/Patient/one/AuditEvent").json()["entry"]
    entry = {"request": {"method": "GET", "url": f"AuditEvent/{event['id']}"}}
    others = [system, audited.holder_of("user/*.cruds", "doctor"),
              audited.holder_of("patient/*.cruds", patient="one"),
              audited.holder_of("system/*.cruds system/AuditEvent.rs", "root")]  # fmt: skip
    for client in others:
        for path in (f"/AuditEvent/{event['id']}", f"/AuditEvent/{event['id']}/_history/1", "/AuditEvent/none",
                     f"/AuditEvent/{event['id']}/_history", "/AuditEvent/_history", "/AuditEvent?_summary=count",
                     "/Patient/one/AuditEvent", "/?_type=AuditEvent", "/?_type=Patient,AuditEvent",
                     "/Patient?_has:AuditEvent:patient:action=R"):  # fmt: skip
            assert client.get(path).status_code == 403, path
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.post("/AuditEvent/_search", content="", headers=form).status_code == 403
        for kind in ("batch", "transaction"):
            answer = client.post("", json={"resourceType": "Bundle", "type": kind, "entry": [entry]})
            assert answer.status_code == 403 or answer.json()["entry"][0]["response"]["status"].startswith("403")
        for path in ("/Patient/one/*", "/_history?_count=1000", "/Patient?_revinclude=AuditEvent:patient",
                     "/Patient?_revinclude=*", "/Patient?_contained=both"):  # fmt: skip
            answer = client.get(path)
            assert "AuditEvent" not in [e["resource"]["resourceType"] for e in answer.json().get("entry", [])
                                        if "resource" in e], path  # fmt: skip
    assert audited.with_token(None).get("/AuditEvent").status_code == 401


def test_nobody_at_all_writes_or_removes_any_of_it(audited: Audited, admin: httpx.Client) -> None:
    event = events(audited, admin, "subtype=sign-in,token-issue")[0]
    changed = {**event, "outcome": "12"}
    new = {name: value for name, value in event.items() if name not in ("id", "meta")}
    named = f"/AuditEvent/{event['id']}"
    entry = {"resource": changed, "request": {"method": "PUT", "url": named[1:]}}
    for answer in (
        admin.put(named, json=changed),
        admin.delete(named),
        admin.post("/AuditEvent", json=new),
        admin.put(f"/AuditEvent?_id={event['id']}", json=changed),
        admin.delete(f"/AuditEvent?_id={event['id']}"),
        admin.patch(named, json=[], headers={"Content-Type": "application/json-patch+json"}),
        admin.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry]}),
    ):
        assert answer.status_code == 403
    expunge = {"resourceType": "Parameters", "parameter": [{"name": "expungePreviousVersions", "valueBoolean": True}]}
    for path in (named, "/AuditEvent"):
        assert admin.post(f"{path}/$expunge", json=expunge).status_code >= 400
    assert admin.get(named).json() == event


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Audited]]:
    """Starts servers with authorization on one data directory, and stops them after the test."""
    started: list[Audited] = []

    def start(workers: int, **settings: str) -> Audited:
        started.append(Audited(RunningServer(tmp_path / "data", workers, {"FHIR_AUTH": "on", **settings})))
        return started[-1]

    yield start
    for audited in started:
        audited.close()
        audited.server.stop()


def test_whatever_is_denied_even_where_only_that_is_audited(start: Callable[..., Audited]) -> None:
    audited = start(1, FHIR_AUDIT="security")
    audited.add_users()
    system, one = audited.holder_of("system/*.cruds"), audited.holder_of("patient/*.cruds", patient="one")
    for patient in ("one", "two"):
        system.put(f"/Patient/{patient}", json={"resourceType": "Patient", "id": patient})
        system.put(f"/Observation/{patient}-o", json=observation(patient, f"{patient}-o"))
    assert one.get("/Observation").json()["total"] == 1
    wrong, nobody = audited.with_token("wrong"), audited.with_token(None)
    answers = [
        nobody.get("/Patient/one"),
        wrong.get("/Patient/one"),
        one.get("/AuditEvent"),
        one.post("/Patient", json={"resourceType": "Patient"}),
        one.get("/Observation/two-o"),
        one.get("/Observation/two-o/_history/1"),
        one.get("/Observation/two-o/_history"),
        one.put("/Observation/two-o", json=observation("one", "two-o")),
        one.delete("/Observation/two-o"),
        one.put("/Observation/one-o", json=observation("two", "one-o")),
        one.post("/$reindex"),
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 403, 403, 404, 404, 404, 404, 204, 403, 403]
    assert one.get("/Observation/none").status_code == 404  # there is nothing to be denied
    admin = audited.holder_of("user/*.rs", "root")
    # By their requests: two of the same millisecond come in any order.
    order = [answer.headers["X-Request-Id"] for answer in answers]
    found = sorted(events(audited, admin, "type=rest"), key=lambda event: order.index(request_of(event)))
    assert [request_of(event) for event in found] == order
    for event in found:
        assert subtypes(event)[-1] == "denied"
        assert event["outcome"] == "8"
        assert event["outcomeDesc"]
    assert ["Patient/two" in references(event) for event in found[4:9]] == [True] * 5
    assert len(events(audited, admin, "subtype=token-issue")) == 3


def test_what_cannot_be_taken_down_is_not_done(start: Callable[..., Audited]) -> None:
    audited = start(1)
    folder, aside = audited.server.data_dir / "audit", audited.server.data_dir / "aside"
    client = audited.holder_of("system/*.cruds")
    folder.rename(aside)
    folder.touch()  # where a folder should be
    for answer in (
        client.put("/Patient/one", json={"resourceType": "Patient", "id": "one"}),
        client.get("/Patient"),
        client.get("/AuditEvent"),
    ):
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers
        assert "take down" in answer.json()["issue"][0]["diagnostics"]
    assert client.get("/metadata").status_code == 200
    folder.unlink()
    aside.rename(folder)
    assert client.get("/Patient/one").status_code == 404
    assert client.put("/Patient/one", json={"resourceType": "Patient", "id": "one"}).status_code == 201


def test_every_acknowledged_read_is_there_once_after_the_server_and_mongodb_were_killed(
    start: Callable[..., Audited],
) -> None:
    audited = start(2)
    audited.add_users()
    client, rights = audited.holder_of("system/*.cruds"), audited.holder_of("user/*.rs", "root").headers
    client.put("/Patient/one", json={"resourceType": "Patient", "id": "one"})
    acknowledged = _read_until(client, 200, audited.server.process.kill)
    audited.close()
    audited.server.kill()

    again = start(2)
    client = again.with_token(client.headers["Authorization"].removeprefix("Bearer "))
    mongod = DataDir.at(again.server.data_dir).pid_in_db()
    assert mongod is not None
    acknowledged += _read_until(client, 100, lambda: os.kill(mongod, signal.SIGKILL))
    deadline = time.monotonic() + TAKEN_WITHIN_SECONDS
    while client.get("/Patient/none").status_code != 404:
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)
    admin = again.with_token(rights["Authorization"].removeprefix("Bearer "))
    found = events(again, admin, "subtype=read&entity=Patient/one&outcome=0")
    told = [request_of(event) for event in found]
    assert len(acknowledged) >= 300
    assert len(told) == len(set(told))
    assert set(acknowledged) - set(told) == set()


def _read_until(client: httpx.Client, reads: int, kill: Callable[[], None]) -> list[str]:
    """Read on several connections, and kill somebody after so many reads; the ids of the requests that were answered."""
    acknowledged: list[str] = []

    def read(number: int) -> None:
        for count in range(2 * reads):
            try:
                answer = client.get("/Patient/one", headers={"X-Request-Id": f"{reads}-{number}-{count}"})
            except httpx.TransportError:
                return
            if answer.status_code != 200:
                return
            acknowledged.append(f"{reads}-{number}-{count}")
            if len(acknowledged) == reads:
                kill()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read, range(4)))
    return acknowledged
