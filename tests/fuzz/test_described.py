"""What `/openapi.json` says is true: schemathesis asks for all that it describes, and compares."""

from __future__ import annotations

from collections import Counter

import pytest
import schemathesis

from tests.fuzz.application import Application
from tests.fuzz.described import PLAIN, described_by, probe, probe_described
from tests.running_server import RunningServer

pytestmark = pytest.mark.xdist_group("fuzz")


def test_the_application_answers_as_its_document_says(app: Application, number: int) -> None:
    statuses: Counter[int] = Counter()
    faults = probe_described(app, lambda _, answer: statuses.update([answer.status]), 300, number)
    assert [str(fault) for fault in faults] == []
    assert statuses.total() > 200
    assert len(statuses) > 3
    assert app.faults_in_log() == []


def test_the_server_answers_as_its_document_says(tmp_path, number: int) -> None:
    server = RunningServer(tmp_path / "data")
    try:
        schema = schemathesis.openapi.from_url(f"{server.site}/openapi.json")
        faults = probe(schema, lambda case: case.call(headers=PLAIN), lambda *_: None, 80, number)
        assert [str(fault) for fault in faults] == []
    finally:
        server.stop()


def test_an_answer_that_the_document_does_not_foresee_is_found(app: Application, number: int) -> None:
    schema = described_by(app)
    described = schema.raw_schema["paths"]["/fhir/metadata"]["get"]["responses"]
    described["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    only = schema.include(path="/fhir/metadata")
    faults = list(probe(only, lambda case: case.call(headers=PLAIN), lambda *_: None, 2, number))
    assert "UndefinedContentType" in str(faults[0])
