"""From records to AuditEvents. https://hl7.org/fhir/R4/auditevent.html"""

from __future__ import annotations

import base64
from typing import Any, get_args

import orjson
import pytest

from capability.interactions_table import INTERACTIONS
from fhir_server.audit import codes
from fhir_server.audit.audit_event import MOST_DEEDS, UNFINISHED, Names, audit_events, versions_of
from fhir_server.audit.records import Deed, Record, RequestRecord, SecurityRecord, Who
from fhir_server.gate import PUBLIC
from resources.document import parse_document
from resources.validation import validate
from smart_auth.events import EventCode
from smart_auth.model import Client, User
from tests.fhir_server.audit.conftest import AT, WHO, request_record

BASE = "https://fhir.example.org/fhir"
USER = User("sub-1", "doctor", "Dr. Ada", "practitioner", "hash-of-a-password", 0, "Practitioner/ada")
CLIENT = Client("app-1", "Growth chart", "public", "user/*.rs", 0)
NAMES = Names({"sub-1": USER}, {"app-1": CLIENT})
NOBODY = Names({}, {})
SHOWN = (("Observation", "o1", 1), ("Observation", "o2", 4), ("Patient", "two", 1))
SUBJECTS = {
    ("Observation", "o1", 1): ("one",),
    ("Observation", "o2", 4): ("one", "three"),
    ("Patient", "two", 1): ("two",),
    ("Patient", "one", 3): ("one",),
}


def events_of(record: Record, names: Names = NAMES) -> list[dict[str, Any]]:
    """The AuditEvents of a record, each checked to be a valid resource."""
    events = audit_events(record, SUBJECTS, names, BASE)
    for event in events:
        tree = parse_document(orjson.dumps({"resourceType": "AuditEvent", "id": "x", **event})).tree
        assert validate(tree) == []
    return events


def event_of(*deeds: Deed, who: Who = WHO, names: Names = NAMES) -> dict[str, Any]:
    (event,) = events_of(request_record(*deeds, who=who), names)
    return event


def references(event: dict[str, Any]) -> list[str]:
    return [e["what"]["reference"] for e in event.get("entity", ()) if "reference" in e.get("what", {})]


def query_of(event: dict[str, Any]) -> str:
    (query,) = [entity["query"] for entity in event["entity"] if "query" in entity]
    return base64.b64decode(query).decode()


def subtypes(event: dict[str, Any]) -> list[str]:
    return [coding["code"] for coding in event["subtype"]]


def test_a_read_tells_who_what_when_from_where_and_by_which_request() -> None:
    event = event_of(Deed("read", 200, "Observation", "o2", 4))
    assert event["type"]["code"] == "rest"
    assert subtypes(event) == ["read"]
    assert (event["action"], event["outcome"]) == ("R", "0")
    assert event["recorded"] == "2026-01-01T00:00:00.123Z"
    user, client = event["agent"]
    assert user["who"]["reference"] == "Practitioner/ada"
    assert user["who"]["identifier"]["value"] == "sub-1"
    assert (user["altId"], user["name"], user["requestor"]) == ("doctor", "Dr. Ada", True)
    assert user["role"][0]["coding"][0]["code"] == "practitioner"
    assert client["who"]["identifier"]["value"] == client["altId"] == "app-1"
    assert (client["name"], client["requestor"]) == ("Growth chart", False)
    assert client["network"] == {"address": "192.0.2.7", "type": "2"}
    assert references(event) == ["Patient/one", "Patient/three", "Observation/o2/_history/4"]
    identifiers = [e["what"]["identifier"]["value"] for e in event["entity"] if "identifier" in e.get("what", {})]
    assert identifiers == ["request-1", "grant-1"]
    assert event["source"]["observer"]["identifier"]["value"] == BASE


def test_a_patient_is_named_once_when_it_is_what_was_read() -> None:
    event = event_of(Deed("read", 200, "Patient", "one", 3))
    assert references(event) == ["Patient/one/_history/3"]
    assert event["entity"][0]["role"]["code"] == "1"


def test_a_search_tells_its_query_and_every_patient_it_showed() -> None:
    deed = Deed("search", 200, "Observation", compartment="Practitioner/ada", query="code=ä&x=1", shown=SHOWN)
    event = event_of(deed)
    assert query_of(event) == "Practitioner/ada/Observation?code=ä&x=1"
    assert references(event) == ["Patient/one", "Patient/three", "Patient/two"]
    assert (subtypes(event), event["action"]) == (["search-type"], "E")
    (query,) = [entity for entity in event["entity"] if "query" in entity]
    assert query["detail"] == [{"type": "resources-shown", "valueString": "3"}]


def test_a_search_that_found_nothing_tells_whose_record_it_was_confined_to() -> None:
    deed = Deed("search", 200, "Observation", query="code=x")
    assert references(event_of(deed, who=Who("app-1", None, "g", "nine", None))) == ["Patient/nine"]
    assert references(event_of(Deed("search", 200, "Observation", compartment="Patient/7", query=""))) == ["Patient/7"]


@pytest.mark.parametrize(
    ("deed", "code"),
    [
        (Deed("history", 200, "Patient", "one", query=""), "history-instance"),
        (Deed("history", 200, "Patient", query=""), "history-type"),
        (Deed("history", 200, query=""), "history-system"),
        (Deed("search_system", 200, query="_type=Patient"), "search-system"),
        (Deed("conditional_delete", 204, "Patient", "one", 2, query="name=x"), "delete"),
        (Deed("bundle", 422, reason="The Bundle is wrong."), "transaction"),
        (Deed(None, 400, reason="The entry has no request."), "operation"),
    ],
)
def test_interactions_have_the_codes_of_fhir(deed: Deed, code: str) -> None:
    assert subtypes(event_of(deed)) == [code]


def test_every_interaction_that_is_served_is_known_here() -> None:
    assert {row.name for row in INTERACTIONS} - PUBLIC == set(codes.INTERACTIONS)


def test_operations_are_told_apart_by_a_code_of_ours() -> None:
    assert subtypes(event_of(Deed("reindex", 202, "Patient"))) == ["operation", "reindex"]


@pytest.mark.parametrize("row", [row for row in INTERACTIONS if row.name not in PUBLIC], ids=lambda row: row.summary)
@pytest.mark.parametrize("status", [0, 200, 304, 401, 403, 404, 422, 500])
def test_whatever_was_asked_and_answered_becomes_a_valid_resource(row: Any, status: int) -> None:
    deed = Deed(row.name, status, reason="why\x00\ud800 not" if status >= 400 else None, is_denial=status in (401, 403))
    event = event_of(deed, who=Who(address="192.0.2.7"), names=NOBODY)
    assert event["outcome"] == {200: "0", 304: "0", 404: "4", 422: "4"}.get(status, "8")
    assert ("denied" in subtypes(event)) == (status in (401, 403))


def test_what_had_begun_and_has_no_end_says_so() -> None:
    event = event_of(Deed("create", 0, "Patient"))
    assert (event["outcome"], event["outcomeDesc"]) == ("8", UNFINISHED)
    assert event["entity"][0]["type"]["code"] == "Patient"


def test_whoever_cannot_be_told_is_an_agent_with_an_address_only() -> None:
    event = event_of(Deed("read", 401, "Patient", "one", reason="no", is_denial=True), who=Who(address="192.0.2.7"))
    assert event["agent"] == [{"requestor": True, "network": {"address": "192.0.2.7", "type": "2"}}]


def test_users_and_clients_that_are_gone_are_named_by_their_identifiers() -> None:
    user, client = event_of(Deed("read", 200, "Patient", "one", 3), names=NOBODY)["agent"]
    assert user["who"] == {"identifier": {"system": BASE, "value": "sub-1"}}
    assert client["who"] == {"identifier": {"system": BASE, "value": "app-1"}}


def test_entries_of_a_bundle_that_did_the_same_are_one_event_and_searches_one_each() -> None:
    deeds = [
        *(Deed("create", 201, "Observation", f"o{number}", 1) for number in range(3)),
        Deed("update", 200, "Patient", "one", 3),
        Deed("create", 403, "Observation", reason="This access does not allow to create.", is_denial=True),
        Deed("search", 200, "Observation", query="code=1"),
        Deed("search", 200, "Observation", query="code=2"),
    ]
    events = events_of(request_record(*deeds))
    assert [(subtypes(event), event["outcome"], len(references(event))) for event in events] == [
        (["create"], "0", 4),
        (["update"], "0", 1),
        (["create", "denied"], "8", 0),
        (["search-type"], "0", 0),
        (["search-type"], "0", 0),
    ]
    assert [query_of(event) for event in events[3:]] == ["Observation?code=1", "Observation?code=2"]


def test_a_large_bundle_becomes_several_events() -> None:
    deeds = [Deed("create", 201, "Organization", str(number), 1) for number in range(MOST_DEEDS * 2 + 1)]
    counts = [len(references(event)) for event in events_of(request_record(*deeds))]
    assert counts == [MOST_DEEDS, MOST_DEEDS, 1]


def test_the_versions_to_look_up_are_those_that_were_shown_or_meant() -> None:
    record = request_record(Deed("search", 200, "Observation", shown=SHOWN), Deed("read", 404, "Observation", "o9"))
    assert list(versions_of(record)) == [*SHOWN, ("Observation", "o9", 0)]
    assert list(versions_of(SecurityRecord(AT, None, WHO, "sign-in", True))) == []


@pytest.mark.parametrize("code", get_args(EventCode))
@pytest.mark.parametrize("succeeded", [True, False])
def test_every_event_of_the_authorization_server_becomes_a_valid_resource(code: EventCode, succeeded: bool) -> None:
    who = Who("app-1", "sub-1", "grant-1", "one", "192.0.2.7")
    (event,) = events_of(SecurityRecord(AT, "r", who, code, succeeded, None if succeeded else "why not"))
    assert code in codes.SECURITY
    assert subtypes(event)[-1] == code
    assert event["outcome"] == ("0" if succeeded else "8" if code in ("replay", "denied") else "4")
    assert event.get("outcomeDesc") == (None if succeeded else "why not")
    assert "Patient/one" in references(event)
    assert "hash-of-a-password" not in repr(event)


def test_a_sign_in_has_the_codes_of_dicom() -> None:
    (event,) = events_of(SecurityRecord(AT, None, Who(sub="sub-1", address="192.0.2.7"), "sign-in", True))
    assert event["type"]["code"] == "110114"
    assert subtypes(event) == ["110122", "sign-in"]
    assert event["agent"][0]["altId"] == "doctor"


def test_a_client_that_was_changed_is_what_was_changed_and_not_who_did_it() -> None:
    (event,) = events_of(SecurityRecord(AT, None, Who(client="app-1"), "client-change", True))
    assert event["agent"] == [{"name": "A command on the server", "requestor": True}]
    (entity,) = event["entity"]
    assert (entity["what"]["identifier"]["value"], entity["name"]) == ("app-1", "Growth chart")


def test_one_request_record_is_enough_to_be_valid_without_anything_known() -> None:
    (event,) = events_of(RequestRecord(AT, None, Who(), (Deed("read", 200, "Binary", "b", 1),)), NOBODY)
    assert event["agent"] == [{"name": "A command on the server", "requestor": True}]
