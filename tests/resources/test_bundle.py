"""Bundles as requests: envelope, entries, order, duplicates. https://hl7.org/fhir/R4/http.html#transaction"""

from __future__ import annotations

import json

import pytest

from resources.bundle import check_no_duplicates, in_verb_order, parse_bundle
from resources.problem import Problem


def bundle(*entries, kind="transaction"):
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": list(entries)})


def entry(method, url, resource=None):
    made = {"request": {"method": method, "url": url}}
    return {**made, "resource": resource} if resource else made


def problem_of(text, types=None):
    with pytest.raises(Problem) as caught:
        parse_bundle(text, types)
    assert caught.value.status == 400
    return caught.value.issues[0]


def test_each_entry_carries_the_exact_text_of_its_resource():
    resource = '{ "resourceType":"Patient",\r\n "birthDate":"\\u0032000", "x":1.00 }'
    text = '{"type":"batch","entry":[ {"resource":%s,"request":{"method":"POST","url":"Patient"}}],"resourceType":"Bundle"}'
    [found] = parse_bundle(text % resource).entries
    assert found.document.text == resource.replace("\r\n", "")
    for name, span in found.document.spans.items():
        assert found.document.text[span.start :].startswith(f'"{name}"')
    assert (found.method, found.url, found.index, found.full_url) == ("POST", "Patient", 0, None)


def test_entries_are_processed_by_verb_and_otherwise_as_they_stand():
    methods = ["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "POST", "DELETE"]
    resource = {"resourceType": "Patient"}
    parsed = parse_bundle(bundle(*(entry(m, "Patient/1", resource if m[0] == "P" else None) for m in methods)))
    ordered = in_verb_order(parsed.entries)
    assert [(each.method, each.index) for each in ordered] == [
        ("DELETE", 3), ("DELETE", 7), ("POST", 2), ("POST", 6), ("PUT", 1), ("PATCH", 5), ("GET", 0), ("HEAD", 4)
    ]  # fmt: skip


def test_the_type_is_checked_before_the_rules_of_that_type():
    issue = problem_of(bundle(kind="document"), ("batch", "transaction"))
    assert issue.expression == "Bundle.type"
    assert "'batch' or 'transaction'" in issue.text


def test_an_entry_without_a_request_is_named():
    issue = problem_of(bundle(entry("DELETE", "Patient/1"), {"fullUrl": "urn:x:1"}))
    assert (issue.code, issue.expression) == ("required", "Bundle.entry[1]")


def test_an_unknown_resource_is_the_fault_of_its_entry_in_a_batch_and_of_all_in_a_transaction():
    entries = (
        entry("POST", "Nothing", {"resourceType": "Nothing"}),
        entry("POST", "Patient", {"resourceType": "Patient"}),
    )
    first, second = parse_bundle(bundle(*entries, kind="batch")).entries
    assert (first.fault.issues[0].expression, first.document) == ("Bundle.entry[0].resource", None)
    assert second.fault is None
    assert problem_of(bundle(*entries)).expression == "Bundle.entry[0].resource"


def test_no_two_entries_may_write_the_same_resource():
    entries = parse_bundle(bundle(*[entry("DELETE", "Patient/1")] * 3)).entries
    check_no_duplicates([("Patient/1", entries[0]), ("Patient/2", entries[1])], [("Patient/3", entries[2])])
    with pytest.raises(Problem) as caught:
        check_no_duplicates([("Patient/1", each) for each in entries])
    assert [issue.expression for issue in caught.value.issues] == ["Bundle.entry[1]", "Bundle.entry[2]"]


def test_what_a_condition_finds_and_keeps_no_other_entry_may_write():
    entries = parse_bundle(bundle(*[entry("DELETE", "Patient/1")] * 3)).entries
    check_no_duplicates([], [("Patient/1", each) for each in entries])
    with pytest.raises(Problem) as caught:
        check_no_duplicates([("Patient/1", entries[2])], [("Patient/1", entries[0])])
    assert caught.value.issues[0].expression == "Bundle.entry[0]"
