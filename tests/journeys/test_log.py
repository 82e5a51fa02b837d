"""The logs help to find a request again, and hold nothing about patients, whatever goes wrong."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_server.app import create_app
from fhir_server.services import services_for
from fhir_server.settings import Settings
from fhir_server.store.database import connect
from search.catalogue import STANDARD

SECRET = "Xylophanes"  # a name, an id, an identifier, a city: whatever is told about a patient here contains it


def told(server: Any) -> str:
    """Everything that the server and its MongoDB have written."""
    logs = [server.log, *(Path(server.data_dir).glob("*.log")), *(Path(server.data_dir).glob("*.out"))]
    assert len(logs) >= 3
    return "".join(log.read_text(errors="replace") for log in logs)


def patient(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "name": [{"family": SECRET, "given": [SECRET]}], **more}


def test_no_log_holds_what_clients_send_or_search_for_and_each_answer_can_be_found_again(start_server):
    server = start_server(FHIR_LOG_LEVEL="debug")
    url = f"/Patient/{SECRET}-1"
    by_identifier = {"If-None-Exist": f"identifier=urn:test|{SECRET}"}
    linked = {"resource": patient(), "request": {"method": "POST", "url": "Patient", "ifNoneExist": f"name={SECRET}"}}
    wrong = {"resource": patient(gender=SECRET), "request": {"method": "PUT", "url": f"Patient/{SECRET}"}}
    large = patient(id=f"{SECRET}-2", text={"status": "generated", "div": "<p>" + SECRET * 200_000 + "</p>"})
    answers: list[httpx.Response] = []
    with server.client() as client:

        def ask(method: str, address: str, **more: Any) -> None:
            answers.append(client.request(method, address, **more))

        ask("PUT", url, json=patient(id=f"{SECRET}-1"))
        ask("PUT", url, json=patient(id=f"{SECRET}-1", active=True), headers={"If-Match": f'W/"{SECRET}"'})
        ask("POST", "/Patient", json=patient(), headers=by_identifier)
        ask("POST", "/Patient", json=patient(gender=SECRET, birthDate=SECRET, **{SECRET: 1}))
        ask("POST", "/Patient", content=b'{"resourceType":"Patient","id":"' + SECRET.encode())
        ask("POST", "/Patient", content=SECRET, headers={"Content-Type": SECRET, "Prefer": SECRET})
        ask("GET", "/metadata", headers={"Accept": SECRET})
        ask("PUT", f"/Patient/{SECRET}-2", json=large)
        ask("POST", "/", json={"resourceType": "Bundle", "type": "transaction", "entry": [linked]})
        ask("POST", "/", json={"resourceType": "Bundle", "type": "transaction", "entry": [linked, wrong]})
        ask("POST", "/", json={"resourceType": "Bundle", "type": "batch", "entry": [linked, wrong]})
        for query in (f"name={SECRET}", f"identifier={SECRET}|{SECRET}", f"{SECRET}={SECRET}", f"_cursor={SECRET}"):
            ask("GET", f"/Patient?{query}")
        ask("GET", f"/Patient?_lastUpdated={SECRET}")
        ask("POST", "/Patient/_search", data={"name": SECRET})
        for address in (url, f"{url}/_history", f"{url}/_history/{SECRET}", f"/{SECRET}/1", f"/Patient/{SECRET}-9"):
            ask("GET", address)
        ask("DELETE", url)
        ask("PATCH", url, content=SECRET)
        patch = f'[{{"op":"test","path":"/{SECRET}","value":"{SECRET}"}}]'
        ask("PATCH", url, content=patch, headers={"Content-Type": "application/json-patch+json"})
        ask("PATCH", f"{url}/_history/1", content=SECRET)
        ask("GET", "/Patient", headers={"Host": f"{SECRET}.example", "X-Request-Id": f"a b {SECRET}"})
    assert {200, 201, 204, 400, 404, 405, 406, 412, 415, 422} <= {answer.status_code for answer in answers}
    assert not any(answer.status_code >= 500 for answer in answers)
    server.stop()
    log = told(server)
    assert SECRET.lower() not in log.lower()
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    logged = {line["request_id"]: line for line in lines if line["event"] == "request"}
    for answer in answers:
        line = logged[answer.headers["X-Request-Id"]]
        assert line["status"] == answer.status_code
        assert line["method"] == answer.request.method


def test_a_request_id_of_the_clients_own_is_kept_where_it_is_sound(server, client):
    own = f"trace-{uuid.uuid4()}"
    assert client.get("/metadata", headers={"X-Request-Id": own}).headers["X-Request-Id"] == own
    for unsound in ("a b", "x" * 100, '{"a":1}', "a\tb"):
        answer = client.get("/metadata", headers={"X-Request-Id": unsound})
        assert answer.headers["X-Request-Id"] not in ("", unsound)
    assert own in server.log.read_text()


@pytest.mark.parametrize(
    "where", ["fhir_server.interactions.write.prepare", "fhir_server.interactions.write.commit_new"]
)
def test_a_fault_is_logged_with_its_place_and_without_its_message(monkeypatch, capfd, where):
    def fail(*_: object, **__: object) -> None:
        raise KeyError(f"{SECRET} is not there")

    monkeypatch.setattr(where, fail)
    database = connect("mongodb://127.0.0.1:1/?directConnection=true", "none")  # never reached
    client = create_app(
        replace(services_for(Settings.from_environ({}), database), catalogue=lambda: STANDARD)
    ).test_client()
    answer = client.post("/fhir/Patient", json=patient())
    database.close()
    assert answer.status_code == 500
    assert SECRET not in answer.get_data(as_text=True)
    shown = capfd.readouterr().err
    assert SECRET not in shown
    (fault,) = [line for line in map(json.loads, shown.splitlines()) if line["event"] == "fault"]
    assert fault["request_id"] == answer.headers["X-Request-Id"]
    assert fault["error"] == "KeyError"
    assert any("test_log.py" in frame and "fail" in frame for frame in fault["trace"])


def test_a_fault_while_a_fault_is_told_is_logged_without_its_message_too(monkeypatch, capfd, caplog):
    def fail(*_: object, **__: object) -> None:
        raise KeyError(f"{SECRET} is not there")

    monkeypatch.setattr("fhir_server.reply.answer_type", fail)
    monkeypatch.setattr("fhir_server.routes.answer_type", fail)
    database = connect("mongodb://127.0.0.1:1/?directConnection=true", "none")  # never reached
    client = create_app(
        replace(services_for(Settings.from_environ({}), database), catalogue=lambda: STANDARD)
    ).test_client()
    with pytest.raises(KeyError):
        client.post("/fhir/Patient", json=patient())
    database.close()
    shown = capfd.readouterr().err
    assert SECRET not in shown + caplog.text
    assert {line["error"] for line in map(json.loads, shown.splitlines()) if line["event"] == "fault"} == {"KeyError"}
