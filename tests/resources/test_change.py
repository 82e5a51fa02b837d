"""What a write does to what is stored. https://hl7.org/fhir/R4/http.html#update"""

from __future__ import annotations

import pytest

from resources.change import Intent, Stored, decide
from resources.document import parse_document
from resources.problem import Problem

NOW = 1_700_000_000_000


def document(rest=""):
    return parse_document('{"resourceType":"Patient","id":"p"' + rest + "}")


def put(rest="", **conditions):
    return Intent("PUT", "Patient", "p", document(rest), lambda own: {"k": [own]}, **conditions)


def delete(**conditions):
    return Intent("DELETE", "Patient", "p", **conditions)


def stored(version=1, rest="", at=NOW - 1000):
    return Stored("Patient", "p", version, at, document(rest).stored("p", version, at), "PUT")


def deleted(version=2):
    return Stored("Patient", "p", version, NOW - 1000, None, "DELETE")


def test_the_first_version_is_number_one():
    change = decide(put(), None, NOW)
    assert (change.after.version, change.after.last_updated, change.after.was_there) == (1, NOW, False)
    assert change.before is None
    assert change.index("p") == {"k": ["p"]}


def test_a_change_makes_the_next_version():
    before = stored(7)
    change = decide(put(',"active":true'), before, NOW)
    assert (change.after.version, change.after.was_there, change.before) == (8, True, before)


@pytest.mark.parametrize("rest", ["", " ", ' , "meta":{"versionId":"9","lastUpdated":"2001-01-01T00:00:00Z"}'])
def test_what_changes_nothing_makes_no_version(rest):
    assert decide(put(rest), stored(), NOW) is None


def test_another_spelling_of_a_number_is_a_change():
    assert decide(put(',"multipleBirthInteger":1'), stored(rest=',"multipleBirthInteger":1'), NOW) is None
    assert decide(put(',"x":1.0'), stored(rest=',"x":1.00'), NOW) is not None


def test_versions_of_one_resource_never_share_a_moment_even_when_the_clock_goes_back():
    before = stored(at=NOW + 5000)
    assert decide(put(',"active":true'), before, NOW).after.last_updated == NOW + 5001


def test_a_deletion_is_a_version_without_content():
    change = decide(delete(), stored(3), NOW)
    assert (change.after.version, change.after.raw, change.after.method, change.index) == (4, None, "DELETE", None)


@pytest.mark.parametrize("before", [None, deleted()])
def test_deleting_what_is_not_there_changes_nothing(before):
    assert decide(delete(), before, NOW) is None


def test_what_comes_back_continues_its_versions_and_counts_as_new():
    change = decide(put(), deleted(4), NOW)
    assert (change.after.version, change.after.was_there) == (5, False)


@pytest.mark.parametrize("tags", [{"1"}, {"3", "1"}, {"*"}])
@pytest.mark.parametrize("intent", [put, delete])
def test_a_version_that_matches_lets_the_write_through(intent, tags):
    assert decide(intent(if_match=frozenset(tags)), stored(rest=',"active":true'), NOW) is not None


@pytest.mark.parametrize("tags", [{"2"}, {""}, set(), {"01"}])
@pytest.mark.parametrize("intent", [put, delete])
def test_another_version_stops_the_write(intent, tags):
    with pytest.raises(Problem, match="412"):
        decide(intent(if_match=frozenset(tags)), stored(), NOW)


@pytest.mark.parametrize("before", [None, deleted(2)])
@pytest.mark.parametrize("tags", [{"2"}, {"*"}])
@pytest.mark.parametrize("intent", [put, delete])
def test_no_version_of_what_is_not_there_matches(intent, tags, before):
    with pytest.raises(Problem, match="412"):
        decide(intent(if_match=frozenset(tags)), before, NOW)


def test_what_must_be_new_must_be_new():
    with pytest.raises(Problem, match="412"):
        decide(put(if_none_match=True), stored(), NOW)
    assert decide(put(if_none_match=True), None, NOW).after.version == 1
    assert decide(put(if_none_match=True), deleted(2), NOW).after.version == 3
