"""Scopes in words, and what ticks leave of them: pure, over every type and letter."""

from __future__ import annotations

from itertools import combinations

import pytest

from resources.definitions import resource_types
from smart_auth.discovery import SCOPES
from smart_auth.model import Client, User
from smart_auth.people.authorize_request import AuthorizeRequest
from smart_auth.people.consent_form import consent_form
from smart_auth.people.flow import Stop, Visitor, next_step, with_known_context
from smart_auth.people.records import may_see, own_patients, read_search
from smart_auth.people.redirects import error_redirect, form_targets, shown_target
from smart_auth.people.rendering import day, fhir_moment, moment, span
from smart_auth.people.scope_words import ACTIONS, describe
from smart_auth.people.sessions import Session
from smart_auth.people.transactions import Transaction
from smart_auth.people.type_words import TYPE_WORDS
from smart_auth.scopes import LETTERS, parse

ALL_LETTERS = ["".join(part) for size in range(1, 6) for part in combinations(LETTERS, size)]


def test_every_type_has_words_of_its_own():
    assert set(TYPE_WORDS) == set(resource_types())
    assert len(set(TYPE_WORDS.values())) == len(TYPE_WORDS)
    for words in TYPE_WORDS.values():
        assert words == words.strip()
        assert words[0].islower() or words.startswith("X-ray")
        assert not words.endswith(".")


@pytest.mark.parametrize("letters", [*ALL_LETTERS, "read", "write", "*"])
def test_every_scope_is_told_in_words_and_nothing_is_left_out(letters):
    for type_name in [*sorted(resource_types()), "*"]:
        check_words(type_name, letters)


def check_words(type_name, letters):
    meant = {"read": "rs", "write": "cud", "*": LETTERS}.get(letters, letters)
    found = describe(f"patient/{type_name}.{letters}")
    told = "".join(next(key for key, action in ACTIONS.items() if action == each.action) for each in found)
    assert sorted(told) == sorted(meant)
    for each in found:
        assert each.level == "patient"
        assert each.things == (TYPE_WORDS.get(type_name, "all health records, those of today and those to come"),)


@pytest.mark.parametrize("letters", [*ALL_LETTERS, "read", "write", "*"])
def test_what_is_ticked_whole_is_granted_as_it_was_asked_for(letters):
    for type_name in [*sorted(resource_types()), "*"]:
        check_form(type_name, letters)


def check_form(type_name, letters):
    scope = f"patient/{type_name}.{letters}"
    form = consent_form(scope)
    whole = [choice.scope for group in form.groups for choice in group.choices]
    assert form.agreed(scope, whole) == scope
    assert form.agreed(scope, []) == ""
    for group in form.groups:
        for choice in group.choices:
            left = parse(form.agreed(scope, [choice.scope])).resources
            assert {letter for each in left for letter in each.letters} <= set(group.kind)


@pytest.mark.parametrize(
    "name", ["openid", "fhirUser", "profile", "openid fhirUser profile", "__own", "https://x.example/s"]
)
def test_other_scopes_have_a_box_of_their_own(name):
    scope = f"{name} patient/Goal.rs launch/patient"
    form = consent_form(scope)
    assert form.agreed(scope, ["patient/Goal.rs"]) == "patient/Goal.rs launch/patient"
    boxes = [choice.scope for choice in form.choices() if choice.scope != "patient/Goal.rs"]
    assert form.agreed(scope, boxes) == f"{name} launch/patient"


def test_constraints_are_told():
    found = describe(
        "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory "
        "user/Observation.rs?code=http://loinc.org|718-7&status=final patient/*.r?_tag=http://x|vip"
    )
    told = {(each.level, each.action): each.things for each in found}
    assert told["patient", "See"] == ("laboratory results",)
    assert "(only those with code “718-7” and status “final”)" in told["user", "See"][0]
    assert "(only those with tag “vip”)" in told["patient", "Open one by one"][0]


def test_every_part_of_a_type_that_discovery_lists_is_offered_alone():
    listed = [scope for scope in SCOPES if scope.startswith("patient/") and "?" in scope]
    assert listed
    for scope in listed:
        whole = scope.partition("?")[0]
        assert scope in {choice.scope for choice in consent_form(whole).choices()}
        (told,) = describe(scope)
        assert "only those" not in told.things[0]


def test_a_search_is_read_into_names_a_birth_date_and_identifiers():
    read = read_search(" Wójcik,  Stanisław 1944-11-30 MRN-10003 ")
    assert (read.names, read.birth_date, read.identifiers) == (("Wójcik", "Stanisław"), "1944-11-30", ("MRN-10003",))
    assert read_search("5.3.1969").birth_date == "1969-03-05"
    assert read_search("1969-02-31").identifiers == ("1969-02-31",)
    assert read_search("99.99.1969").birth_date is None
    assert read_search("").names == ()


def user(role, fhir_user=None, patients=()):
    return User("sub", "name", "display", role, "-", 0, fhir_user, patients)


def test_who_may_see_whom():
    assert may_see(user("practitioner", "Practitioner/1"), "any")
    assert may_see(user("patient", "Patient/a"), "a")
    assert not may_see(user("patient", "Patient/a"), "b")
    assert own_patients(user("patient", "Patient/a", ("b", "a"))) == ("a", "b")
    assert may_see(user("related-person", "RelatedPerson/1", ("b",)), "b")
    assert not may_see(user("related-person", "RelatedPerson/1", ("b",)), "1")
    assert not may_see(user("administrator", None, ("b",)), "b")


def request(scope="patient/Goal.rs", **values):
    return AuthorizeRequest("c", "https://x.example/cb", scope, b"s", "c" * 43, **values)


def step(transaction, visitor=None, skips_consent=False, now=0):
    client = Client("c", "C", "public", "", 0, skips_consent=skips_consent)
    known = with_known_context(transaction, visitor.user) if visitor else transaction
    return next_step(known, visitor, client, now)


def test_the_steps_come_in_order():
    someone = Visitor(Session("s", "sub", 5, 5, 100), user("practitioner", "Practitioner/1"))
    asked = Transaction(request("launch/patient launch/encounter patient/Goal.rs"), 0)
    assert step(asked) == "sign-in"
    assert step(asked, someone) == "patient"
    with_patient = Transaction(asked.request, 0, patient="p")
    assert step(with_patient, someone) == "encounter"
    with_none = Transaction(asked.request, 0, patient="p", encounter="")
    assert step(with_none, someone) == "consent"
    assert step(with_none, someone, skips_consent=True) == "done"
    own = Visitor(someone.session, user("patient", "Patient/p"))
    assert step(Transaction(request(), 0), own) == "consent"
    foreign = step(
        Transaction(request(), 0, patient="q"), Visitor(someone.session, user("related-person", None, ("p",)))
    )
    assert isinstance(foreign, Stop)
    assert foreign.error == "access_denied"


def test_error_descriptions_keep_to_their_characters():
    address = error_redirect("https://x.example/cb", "invalid_request", 'a "b" \\ é', None, "https://x")
    assert "error_description=a%20%27b%27%20%27%20%27" in address


def test_addresses_are_told_in_words_and_forms_may_lead_to_their_schemes():
    assert shown_target("https://app.example.org/cb") == "app.example.org"
    assert shown_target("http://127.0.0.1:9/cb") == "an app on this computer"
    assert shown_target("com.example.app:/cb") == "an app on this device"
    assert form_targets(["https://a.example/x", "http://localhost/", "https://b.example"]) == "http: https:"


def test_moments_are_told_as_precisely_as_they_are_known():
    assert day(0) == "1 January 1970"
    assert moment(1_800_000_000_000) == "15 January 2027, 08:00 UTC"
    assert [span(seconds) for seconds in (3600, 7200, 5400, 60)] == ["1 hour", "2 hours", "90 minutes", "1 minute"]
    told = [fhir_moment(text) for text in ("1967", "1967-03", "1967-03-05", "2027-03-05T14:05:00Z", "soon", None)]
    assert told == ["1967", "March 1967", "5 March 1967", "5 March 2027, 14:05 UTC", "soon", ""]
