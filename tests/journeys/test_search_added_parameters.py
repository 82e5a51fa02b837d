"""Search parameters that are posted at run time, and the indexing of what is stored by them."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from fhir_server.store.search_catalogue import REFRESH_SECONDS
from tests.journeys.conftest import RunningServer

EYE_COLOUR = "http://example.org/eye-colour"
PARAMETER = {
    "resourceType": "SearchParameter",
    "url": "http://example.org/SearchParameter/eye-colour",
    "name": "eyeColour",
    "status": "active",
    "description": "The colour of the eyes",
    "code": "eye-colour",
    "base": ["Patient"],
    "type": "token",
    "expression": f"Patient.extension.where(url = '{EYE_COLOUR}').value",
}


def patient(colour: str) -> dict:
    return {"resourceType": "Patient", "extension": [{"url": EYE_COLOUR, "valueCode": colour}]}


def parameter(code: str, **changed) -> dict:
    url = f"http://example.org/SearchParameter/{code}"
    return {**PARAMETER, "code": code, "url": url, "name": code.replace("-", ""), **changed}


def progress(client) -> dict:
    """The parameters of the job's progress, and under each posted parameter's URL its parts."""
    found = {}
    for item in client.get("/$reindex").json()["parameter"]:
        if "part" in item:
            parts = {part["name"]: next(v for k, v in part.items() if k != "name") for part in item["part"]}
            found[parts["url"]] = parts
        else:
            found[item["name"]] = next(value for name, value in item.items() if name != "name")
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, and until every process of the server has seen it."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)
    time.sleep(REFRESH_SECONDS + 0.2)


def wait_until_active(client, url: str) -> dict:
    """Wait until every process searches by the parameter of that URL; the progress of the job."""

    def is_active() -> bool:
        now = progress(client)
        return now.get(url, {}).get("status") == "active" and now["status"] == "finished"

    wait_until(is_active)
    return progress(client)


def total(client, query: str) -> int:
    answer = client.get(query, params=None)
    assert answer.status_code == 200, answer.text
    return answer.json()["total"]


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    server = RunningServer(tmp_path_factory.mktemp("added"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def client(own_server):
    with own_server.client() as client:
        yield client


@pytest.fixture(scope="module")
def with_colours(client):
    """A server with patients stored before, while and after a parameter for the colour of their eyes is indexed."""
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"request": {"method": "POST", "url": "Patient"}, "resource": patient(colour)}
            for colour in ["green"] * 300 + ["brown"] * 300
        ],
    }
    assert client.post("", json=bundle).status_code == 200
    assert client.get("/Patient?eye-colour=green").status_code == 400
    assert client.post("/SearchParameter", json=PARAMETER).status_code == 201
    for _ in range(100):
        assert client.post("/Patient", json=patient("blue")).status_code == 201
    wait_until_active(client, PARAMETER["url"])
    return client


def test_a_posted_parameter_finds_what_was_stored_before_while_and_after_it_was_posted(with_colours):
    assert total(with_colours, "/Patient?eye-colour=green&_total=accurate&_count=1") == 300
    assert total(with_colours, "/Patient?eye-colour=blue&_total=accurate&_count=1") == 100
    with_colours.post("/Patient", json=patient("grey"))
    assert total(with_colours, "/Patient?eye-colour=grey") == 1


def test_a_posted_parameter_works_in_conditions_chains_and_sorting(with_colours):
    created = with_colours.post("/Patient", json=patient("amber"))
    again = with_colours.post("/Patient", json=patient("amber"), headers={"If-None-Exist": "eye-colour=amber"})
    assert again.status_code == 200
    encounter = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{created.json()['id']}"},
    }
    with_colours.post("/Encounter", json=encounter)
    assert total(with_colours, "/Encounter?subject:Patient.eye-colour=amber") == 1
    first = with_colours.get("/Patient?_sort=eye-colour&_count=1").json()["entry"][0]["resource"]
    assert first["extension"][0]["valueCode"] == "amber"


def test_the_capability_statement_names_a_posted_parameter(with_colours):
    of_patient = next(
        resource
        for resource in with_colours.get("/metadata").json()["rest"][0]["resource"]
        if resource["type"] == "Patient"
    )
    assert {"name": "eye-colour", "type": "token"} in of_patient["searchParam"]


def test_an_expression_beyond_plain_paths_is_evaluated_as_fhirpath(with_colours):
    posted = parameter("has-a-name", expression="Patient.name.exists()")
    assert with_colours.post("/SearchParameter", json=posted).status_code == 201
    wait_until_active(with_colours, posted["url"])
    with_colours.post("/Patient", json={"resourceType": "Patient", "name": [{"family": "Muster"}]})
    assert total(with_colours, "/Patient?has-a-name=true") == 1
    assert total(with_colours, "/Patient?has-a-name=false&_total=accurate&_count=1") >= 700


def test_a_changed_expression_is_indexed_anew_and_a_deleted_parameter_is_unknown_again(with_colours):
    posted = parameter("mark", expression="Patient.extension.value")
    created = with_colours.post("/SearchParameter", json=posted).json()
    wait_until_active(with_colours, posted["url"])
    assert total(with_colours, "/Patient?mark=brown&_total=accurate&_count=1") == 300
    changed = {**posted, "id": created["id"], "expression": "Patient.gender"}
    assert with_colours.put(f"/SearchParameter/{created['id']}", json=changed).status_code == 200
    brown = "/Patient?mark=brown&_total=accurate&_count=1"
    wait_until(lambda: with_colours.get(brown).json().get("total") == 0)
    wait_until_active(with_colours, posted["url"])
    assert total(with_colours, "/Patient?mark=brown&_total=accurate&_count=1") == 0
    with_colours.delete(f"/SearchParameter/{created['id']}")
    wait_until(lambda: with_colours.get("/Patient?mark=brown").status_code == 400)
    assert [with_colours.get("/Patient?mark=brown").status_code for _ in range(10)] == [400] * 10


def test_an_expression_that_is_no_fhirpath_is_refused(client):
    answer = client.post("/SearchParameter", json=parameter("broken", expression="Patient.name..given("))
    assert answer.status_code == 422
    errors = [issue for issue in answer.json()["issue"] if issue["severity"] == "error"]
    assert [error["expression"] for error in errors] == [["SearchParameter.expression"]]


UNUSED = {
    "not active": {"status": "draft"},
    "already": {"code": "birthdate"},
    "not supported": {"type": "special"},
    "selects nothing": {"expression": "Encounter.status"},
    "other characters": {"code": "a:b"},
}


@pytest.fixture(scope="module")
def with_unused(client):
    """What is told of parameters that cannot take effect, by their URLs."""
    urls = {reason: f"http://example.org/SearchParameter/unused-{reason.replace(' ', '-')}" for reason in UNUSED}
    for reason, changed in UNUSED.items():
        posted = {**PARAMETER, "code": "other", **changed, "url": urls[reason]}
        assert client.post("/SearchParameter", json=posted).status_code == 201
    wait_until(lambda: {url for url in urls.values() if progress(client).get(url)} == set(urls.values()))
    told = progress(client)
    return {reason: told[url] for reason, url in urls.items()}


@pytest.mark.parametrize("reason", UNUSED)
def test_a_parameter_that_cannot_take_effect_is_listed_with_the_reason(with_unused, reason):
    assert with_unused[reason]["status"] == "unused"
    assert reason in with_unused[reason]["reason"]


def test_everything_can_be_indexed_anew_on_request(with_colours):
    answer = with_colours.post("/$reindex")
    assert answer.status_code == 202
    assert answer.headers["Content-Location"].endswith("/$reindex")
    done = wait_until_active(with_colours, PARAMETER["url"])
    assert done["done"] >= 700
    assert done["failed"] == 0
    assert total(with_colours, "/Patient?eye-colour=brown&_total=accurate&_count=1") == 300


def test_a_job_goes_on_after_the_server_was_killed(own_server, with_colours, tmp_path):
    posted = parameter("colour-again", expression=PARAMETER["expression"])
    assert with_colours.post("/SearchParameter", json=posted).status_code == 201
    own_server.kill()
    successor = RunningServer(own_server.data_dir)
    try:
        with successor.client() as client:
            wait_until_active(client, posted["url"])
            assert total(client, "/Patient?colour-again=green&_total=accurate&_count=1") == 300
    finally:
        successor.stop()
