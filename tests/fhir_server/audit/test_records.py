"""Records as lines of the journal."""

from __future__ import annotations

import pytest

from fhir_server.audit.records import Deed, Record, RequestRecord, SecurityRecord, Who, line_of, record_of
from tests.fhir_server.audit.conftest import AT, WHO, request_record

RECORDS: list[Record] = [
    request_record(),
    request_record(who=Who(), request=None),
    request_record(
        Deed("search", 200, "Observation", query="code=x\n&y=Ä", shown=(("Observation", "o1", 1), ("Patient", "p", 2))),
        Deed(None, 400, reason="The entry has no request."),
        Deed("delete", 204, "Patient", "two", is_denial=True),
    ),
    RequestRecord(AT, "r", WHO, (Deed("create", 0, "Patient"),), "begun", 7),
    SecurityRecord(AT, None, WHO, "sign-in", False, "The password was wrong."),
]


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_is_one_line_and_is_read_back_as_it_was(record: Record) -> None:
    line = line_of(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert record_of(line) == record


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"{}", b'{"who":{}}', b'{"who":{"name":1},"code":"x"}', b"\x00\x00"]
)
def test_a_line_that_holds_no_record_is_told(line: bytes) -> None:
    with pytest.raises((ValueError, LookupError, TypeError, AttributeError)):
        record_of(line)
