"""`_text` and `_content`: searching the words of narratives and of whole resources."""

from __future__ import annotations

import time

import pytest

from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.store.database import connected
from tests.journeys.conftest import RunningServer


def observation(narrative: str | None = None, note: str | None = None) -> dict:
    resource: dict = {"resourceType": "Observation", "status": "final", "code": {"text": "Bone scan"}}
    if narrative is not None:
        div = f'<div xmlns="http://www.w3.org/1999/xhtml">{narrative}</div>'
        resource["text"] = {"status": "generated", "div": div}
    if note is not None:
        resource["note"] = [{"text": note}]
    return resource


STORED = {
    "spread": observation("Bone <b>metastasis</b> &amp; pain"),
    "liver": observation("Métastases in the LIVER"),
    "note": observation(note="No metastasis was seen"),
    "nothing": observation(),
}


@pytest.fixture(scope="module", params=["content", "narrative"])
def mode(request):
    return request.param


@pytest.fixture(scope="module")
def server(tmp_path_factory, mode):
    server = RunningServer(tmp_path_factory.mktemp("text"), workers=1, settings={"FHIR_TEXT_SEARCH": mode})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def client(server):
    with server.client() as client:
        for name, resource in STORED.items():
            client.put(f"/Observation/{name}", json={**resource, "id": name}).raise_for_status()
        yield client


def found(client, query: dict) -> set[str]:
    answer = client.get("/Observation", params=query)
    assert answer.status_code == 200, answer.text
    return {entry["resource"]["id"] for entry in answer.json().get("entry", [])}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("metastasis", {"spread"}),
        ("bone", {"spread"}),
        ("METASTASES liver", {"liver"}),
        ("metasta*", {"spread", "liver"}),
        ("bone OR liver", {"spread", "liver"}),
        ("bone liver", set()),
        ("b", set()),
        ("amp", set()),
        ("pain,liver", {"spread", "liver"}),
    ],
)
def test_text_finds_the_words_of_the_narrative(client, words, expected):
    assert found(client, {"_text": words}) == expected


def test_content_finds_the_words_of_the_whole_resource_where_they_are_indexed(client, mode):
    if mode == "narrative":
        answer = client.get("/Observation?_content=seen")
        assert answer.status_code == 400
        assert "FHIR_TEXT_SEARCH" in answer.json()["issue"][0]["diagnostics"]
        return
    assert found(client, {"_content": "seen"}) == {"note"}
    assert found(client, {"_content": "metastasis"}) == {"spread", "note"}
    assert found(client, {"_content": "bone scan", "status": "final"}) == set(STORED)


def test_text_without_words_is_refused(client):
    assert client.get("/Observation", params={"_text": "***"}).status_code == 400
    assert client.get("/Observation?_sort=_text").status_code == 400


def test_words_are_indexed_when_the_setting_asks_for_them_later(tmp_path):
    first = RunningServer(tmp_path / "later", workers=1, settings={"FHIR_TEXT_SEARCH": "off"})
    with first.client() as client:
        client.put("/Observation/1", json={**STORED["spread"], "id": "1"}).raise_for_status()
        assert client.get("/Observation?_text=bone").status_code == 400
    first.stop()
    second = RunningServer(first.data_dir, workers=1, settings={"FHIR_TEXT_SEARCH": "content"})
    try:
        end_lease(second)
        with second.client() as client:
            deadline = time.monotonic() + 30
            while client.get("/Observation?_content=scan").status_code == 400 and time.monotonic() < deadline:
                time.sleep(0.1)
            assert found(client, {"_text": "bone"}) == {"1"}
            assert found(client, {"_content": "scan"}) == {"1"}
    finally:
        second.stop()


def end_lease(server: RunningServer) -> None:
    """End the lease on the job that a stopped server has left behind, which would end by itself in some seconds.

    That it does is shown where a server is killed (test_search_added_parameters).
    """
    with (
        EmbeddedMongoDB.attach_or_start(server.data_dir, purpose="test") as mongodb,
        connected(mongodb.uri, "fhir") as database,
    ):
        database.mongo["search"].delete_one({"_id": "lease"})
