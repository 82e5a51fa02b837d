"""Thousands of hostile requests: none is answered with a 500, none hangs, and every refusal says why in good form.

`make fuzz` sends ten times as many. All is seeded, so that a failure can be repeated; FUZZ_SEED takes other numbers.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from resources.definitions import resource_types
from tests.fuzz.application import CANARY, JSON, Answer, Application, Request, fault_of
from tests.fuzz.conftest import SEED
from tests.fuzz.grown_resources import Grower, faults_in
from tests.fuzz.kinds import KINDS, FaultFound, Session
from tests.fuzz.mutated_requests import BUNDLE, OBSERVATION, PATIENT

pytestmark = pytest.mark.xdist_group("fuzz")

TIMES = {"mutated": 2500, "query": 1500, "bundle": 150, "spoilt resource": 500}


@pytest.mark.parametrize("kind", TIMES)
def test_no_hostile_request_is_answered_with_a_fault(app: Application, number: int, kind: str) -> None:
    statuses: Counter[int] = Counter()
    faults: list[str] = []
    for step in range(TIMES[kind]):
        session = Session(
            app, random.Random(f"{number}/{kind}/{step}"), lambda _, answer: statuses.update([answer.status])
        )
        try:
            KINDS[kind][1](session)
        except FaultFound as fault:
            faults.append(f"FUZZ_SEED {number}, {kind}, step {step}: {fault}")
    assert not faults, f"{len(faults)} faults\n" + "\n".join(faults[:10])
    assert app.faults_in_log() == []
    # Had the generator gone astray, everything would be refused at the door.
    assert statuses[200] + statuses[201] > TIMES[kind] // 20
    assert statuses[400] + statuses[422] > TIMES[kind] // 20
    sound = Request("PUT", "/fhir/Patient/fuzz", "", JSON, json.dumps(PATIENT).encode())
    assert app.send(sound).status in (200, 201)
    assert app.send(Request("GET", "/fhir/Patient/fuzz")).status == 200


@seed(SEED)
@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(chance=st.randoms(use_true_random=False))
def test_a_sound_resource_is_found_valid_kept_to_the_byte_found_again_and_the_same_in_xml(
    app: Application, chance: random.Random
) -> None:
    Session(app, chance).sound_resource()


@pytest.mark.parametrize("name", sorted(resource_types())[:: 146 // 12])
def test_a_resource_that_is_grown_has_the_shape_that_its_definition_asks_for(name: str, number: int) -> None:
    for step in range(20):
        grown = Grower(random.Random(f"{number}/{step}")).resource(name)
        assert {fault.code for fault in faults_in(grown)} <= {"invariant", "business-rule"}


# What runs of the generators have found.
FOUND: list[tuple[str, str, Any]] = [
    ("GET", "/fhir/Patient?_cursor=WyJcdWQ4MDAiXQ", None),  # half a character, which no store can compare
    ("GET", "/fhir/_history?_cursor=WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwLCAiUGF0aWVudCIsICJhIl0", None),  # beyond 64 bits
    ("GET", "/fhir/Patient?_format=json&_id=\xe9", None),
    *(
        (
            "POST",
            "/fhir",
            {**BUNDLE, "entry": [{**BUNDLE["entry"][1], "resource": {**OBSERVATION, "subject": {"reference": odd}}}]},
        )
        for odd in ({}, {"value": "x"}, [{}])
    ),
]


@pytest.mark.parametrize(("method", "url", "body"), FOUND)
def test_what_was_once_answered_with_a_fault_is_refused_with_the_reason(
    app: Application, method: str, url: str, body: Any
) -> None:
    path, _, query = url.partition("?")
    content = b"" if body is None else json.dumps(body).encode()
    request = Request(method, path, query, JSON, content)
    answer = app.send(request)
    assert fault_of(request, answer) is None
    assert 400 <= answer.status < 500


def test_a_transaction_may_search_what_is_contained(app: Application) -> None:
    """MongoDB lists no collections within a transaction."""
    app.send(Request("POST", "/fhir/Patient", "", JSON, json.dumps({"resourceType": "Patient"}).encode()))
    entry = {"request": {"method": "GET", "url": "Patient?_contained=both"}}
    body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}).encode()
    assert app.send(Request("POST", "/fhir", "", JSON, body)).status == 200


SOUND_OUTCOME = b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid"}]}'
ID = {"X-Request-Id": "a"}


@pytest.mark.parametrize(
    ("status", "headers", "content", "fault"),
    [
        (500, ID, SOUND_OUTCOME, "status 500"),
        (200, {}, b"{}", "no X-Request-Id"),
        (404, ID, b"nothing here", "404 with a body that cannot be read"),
        (404, ID, b'{"resourceType":"Patient"}', "404 without an OperationOutcome"),
        (404, ID, b'{"resourceType":"OperationOutcome","issue":[]}', "404 with an invalid OperationOutcome"),
        (422, ID, SOUND_OUTCOME, "422 that names no element"),
    ],
)
def test_an_answer_that_must_not_be_is_recognised(
    status: int, headers: dict[str, str], content: bytes, fault: str
) -> None:
    request = Request("POST", "/fhir/Patient")
    assert (fault_of(request, Answer(status, headers, content)) or "").startswith(fault)
    assert fault_of(request, Answer(404, ID, SOUND_OUTCOME)) is None


def test_a_fault_and_what_tells_of_patients_are_recognised_in_the_log(app: Application) -> None:
    with app.logging():
        app.send(Request("GET", "/fhir/Patient", f"name={CANARY}"))
        assert app.faults_in_log() == []
        print("read", file=sys.stderr)
        print(f'{{"query":"{CANARY}"}}', file=sys.stderr)
        print('{"level":"error"}', file=sys.stderr)
    assert app.faults_in_log() == [f'{{"query":"{CANARY}"}}', '{"level":"error"}']
