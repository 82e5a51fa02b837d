"""The groups of checks: every check can be named, read and looked up; what a run made is taken away."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from conformance.answers import eventually
from conformance.check import Failure
from conformance.groups import GROUPS, REST_GROUPS
from conformance.rest_context import RestContext
from conformance.runner import run_check
from conformance.samples import TYPES, sample
from tests.conformance.wrong.server import BASE

pytestmark = pytest.mark.xdist_group("conformance-rest")


def test_every_check_has_an_id_of_its_own_in_its_group_a_sentence_and_a_clause():
    checks = [check for group in GROUPS for check in group.checks]
    assert len({check.id for check in checks}) == len(checks)
    for group in REST_GROUPS:
        for check in group.checks:
            assert check.id.startswith(f"{group.name}."), check.id
            assert check.sentence.endswith("."), check.id
            assert "{" not in check.sentence, check.id
            assert check.clause.startswith("https://"), check.id


def test_every_resource_of_a_run_carries_its_tag_and_is_taken_away_in_the_end(rest_context):
    with RestContext(rest_context.base_url) as context:
        made = [context.records.create(sample(context, name)) for name in TYPES]
        for each in made:
            assert context.records.tag in [tag["code"] for tag in each["meta"]["tag"]]
    assert context.left == []
    for each in made:
        path = f"{each['resourceType']}/{each['id']}"
        assert rest_context.api.get(path).status_code == 410, path


def test_what_cannot_be_taken_away_is_named():
    def refuse(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            return httpx.Response(403)
        return httpx.Response(201, headers={"Location": f"{BASE}/Patient/1/_history/1"}, json={"id": "1"})

    with RestContext(BASE, transport=httpx.MockTransport(refuse)) as context:
        context.records.create({"resourceType": "Patient"})
    assert context.left == ["Patient/1"]


@pytest.mark.parametrize(("tries", "patience", "notes"), [(1, 0.0, 0), (3, 5.0, 1), (99, 0.3, 0)])
def test_a_search_index_that_lags_behind_is_waited_for_and_noted(tries, patience, notes):
    with RestContext(BASE, transport=httpx.MockTransport(lambda _: httpx.Response(200))) as context:
        context.patience = patience
        looked: list[int] = []

        def look() -> str:
            looked.append(1)
            if len(looked) < tries:
                raise Failure("Not yet.")
            return "found"

        if tries == 99:
            _raises(lambda: eventually(context, look))
        else:
            assert eventually(context, look) == "found"
        assert len(context.notes) == notes


def test_what_could_not_be_made_for_several_checks_is_not_tried_again():
    with RestContext(BASE, transport=httpx.MockTransport(lambda _: httpx.Response(200))) as context:
        tried: list[int] = []

        def make(_: RestContext) -> str:
            tried.append(1)
            raise Failure("Not yet.")

        for _ in range(2):
            _raises(lambda: context.shared("something", make))
        assert len(tried) == 1


PATIENT = {"resourceType": "Patient", "id": "1", "meta": {"versionId": "1", "lastUpdated": "2024-01-01T00:00:00Z"}}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]}
MOST_PASSED = 0.15


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, ""), (200, {}), (200, []), (200, PATIENT), (201, PATIENT), (400, OUTCOME), (404, OUTCOME)],
)
def test_a_server_that_always_says_the_same_fails_most_checks_and_breaks_none(rest_context, status, body):
    headers = {"Location": f"{BASE}/Patient/1/_history/1", "ETag": 'W/"1"', "Content-Type": "application/fhir+json"}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/metadata") and request.url.query == b"":
            return httpx.Response(200, json=rest_context.statement.tree)
        return httpx.Response(status, headers=headers, text=json.dumps(body))

    with RestContext(BASE, transport=httpx.MockTransport(answer)) as context:
        context.patience = 0
        results = [run_check(check, context) for group in REST_GROUPS for check in group.checks]
    assert [(result.check.id, result.reason) for result in results if result.outcome == "error"] == []
    passed = [result.check.id for result in results if result.outcome == "pass"]
    assert len(passed) < MOST_PASSED * len(results), passed


def _raises(act: Callable[[], Any]) -> None:
    with pytest.raises(Failure, match="Not yet"):
        act()
