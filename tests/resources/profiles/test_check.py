"""Which profiles a resource is checked against, and what they are made of.

https://hl7.org/fhir/R4/validation.html and https://hl7.org/fhir/R4/resource.html#Meta.profile
"""

from __future__ import annotations

from typing import Any

import pytest

from resources.problem import Severity
from resources.profiles import check_profiles
from tests.resources.profiles.definitions import URL, element, found, profile, sliced
from tests.resources.profiles.material import Json, profiles_of

NAMED = profile("named", "Patient", element("Patient.name", min=1), version="2.1.0")
PATIENT: Json = {"resourceType": "Patient"}


def claiming(*profiles: str, **members: Any) -> Json:
    return {"resourceType": "Patient", "meta": {"profile": list(profiles)}, **members}


def told(tree: Json, *held: Json, **options: Any) -> list[tuple[str, str, str | None]]:
    """Severity, code and place of each issue."""
    found = check_profiles(tree, profiles_of(held), **options)
    return [(issue.severity, issue.code, issue.expression) for issue in found]


def test_what_a_resource_claims_is_checked_once() -> None:
    tree = claiming(URL + "named")
    missing = [("error", "required", "Patient")]
    assert told(tree, NAMED) == missing
    assert told(tree, NAMED, asked=[URL + "named"]) == missing


@pytest.mark.parametrize("severity", ["warning", "error"])
def test_a_claim_that_cannot_be_checked_is_as_severe_as_asked_for(severity: Severity) -> None:
    expected = [(severity, "not-found", "Patient.meta.profile[0]")]
    assert told(claiming(URL + "unknown"), unknown=severity) == expected


def test_that_a_profile_that_is_asked_about_is_not_held_is_an_error() -> None:
    assert told(PATIENT, asked=[URL + "unknown"]) == [("error", "not-found", "Patient")]


def test_a_version_must_be_the_one_that_is_held() -> None:
    for version, code in (("2.1.0", "required"), ("2.1", "required"), ("2", "required"), ("2.2.0", "not-found")):
        assert [one[1] for one in told(claiming(f"{URL}named|{version}"), NAMED)] == [code]


def test_without_a_version_the_newest_in_use_is_meant() -> None:
    newer = profile("named", "Patient", element("Patient.gender", min=1), version="10.0.0")
    draft = profile("named", "Patient", version="11.0.0") | {"status": "draft"}
    tree = claiming(URL + "named", name=[{"family": "a"}])
    assert told(tree, NAMED, newer, draft) == [("error", "required", "Patient")]


def test_the_base_definitions_are_held_always() -> None:
    core = "http://hl7.org/fhir/StructureDefinition/"
    assert told(claiming(core + "Patient", core + "DomainResource")) == []
    assert told(claiming(core + "Group")) == [("error", "value", "Patient.meta.profile[0]")]


def test_a_profile_of_another_type_is_an_error() -> None:
    assert told({"resourceType": "Group"}, NAMED, asked=[URL + "named"]) == [("error", "value", "Group")]


def test_what_stands_within_a_resource_is_checked_as_it_claims() -> None:
    claim = claiming(URL + "named", id="a")
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": {"resourceType": "Group"}}, {"resource": claim}],
    }
    assert told(bundle, NAMED) == [("error", "required", "Bundle.entry[1].resource")]
    assert told({"resourceType": "Group", "contained": [claim]}, NAMED) == [("error", "required", "Group.contained[0]")]


def test_a_place_may_begin_within_a_bundle() -> None:
    at = "Bundle.entry[3].resource"
    assert told(claiming(URL + "named"), NAMED, at=at) == [("error", "required", at)]


def test_a_differential_is_laid_over_what_it_derives_from() -> None:
    derived = profile("derived", "Patient", element("Patient.name.family", min=1), base=URL + "named")
    assert found(PATIENT, derived, NAMED) == [("required", "Patient")]
    assert found({**PATIENT, "name": [{"text": "a"}]}, derived, NAMED) == [("required", "Patient.name[0]")]


def test_a_slice_of_the_base_can_be_narrowed_further() -> None:
    base = profile(
        "base",
        "Patient",
        element("Patient.identifier", slicing=sliced(("value", "system"))),
        element("Patient.identifier:ssn"),
        element("Patient.identifier:ssn.system", fixedUri="urn:ssn"),
    )
    derived = profile("derived", "Patient", element("Patient.identifier:ssn", min=1), base=URL + "base")
    assert found(PATIENT, base) == []
    assert found(PATIENT, derived, base) == [("required", "Patient")]
    assert found({**PATIENT, "identifier": [{"system": "urn:ssn"}]}, derived, base) == []


def test_a_snapshot_says_it_all() -> None:
    snapshot = {"element": [{"path": "Patient"}, {"path": "Patient.gender", "min": 1}]}
    whole = profile("whole", "Patient", base=URL + "not-held", snapshot=snapshot)
    assert found(PATIENT, whole) == [("required", "Patient")]


def test_a_profile_with_neither_snapshot_nor_base_says_that_it_cannot_be_checked() -> None:
    orphan = profile("orphan", "Patient", base=URL + "not-held")
    [issue] = check_profiles(PATIENT, profiles_of([orphan]), asked=[URL + "orphan"])
    assert (issue.severity, issue.code) == ("error", "not-supported")
    assert "has no snapshot" in issue.text
    assert told(claiming(URL + "orphan"), orphan) == [("warning", "not-supported", "Patient.meta.profile[0]")]


@pytest.mark.parametrize(
    "odd",
    [
        profile("odd", "NoSuchType"),
        profile("odd", "Patient", base=URL + "odd"),
        profile("odd", "Patient", element("Patient.name", max="many")),
        profile(
            "odd", "Patient", element("Patient.name", slicing=sliced(("value", "first()."))), element("Patient.name:a")
        ),
        profile("odd", "Patient", element("Patient.name", contentReference="#Patient.name")),
        profile(
            "odd", "HumanName", element("HumanName.period", type=[{"code": "HumanName", "profile": [URL + "odd"]}])
        ),
        profile("odd", "Patient", element("Patient", type=[{"code": "Patient", "profile": [URL + "odd"]}])),
    ],
)
def test_a_definition_that_makes_no_sense_does_no_harm(odd: Json) -> None:
    tree = claiming(URL + "odd", name=[{"family": "a", "period": {"start": "2001"}}])
    told(tree, odd, asked=[URL + "odd"])


def test_an_extension_is_checked_by_its_definition_wherever_it_stands() -> None:
    nickname = profile(
        "nickname",
        "Extension",
        element("Extension.extension", max="0"),
        element("Extension.url", fixedUri=URL + "nickname"),
        element("Extension.value[x]", min=1, type=[{"code": "string"}]),
    )
    good, bad = ({"url": URL + "nickname", **value} for value in ({"valueString": "a"}, {"valueCode": "a"}))
    assert told({**PATIENT, "extension": [good], "name": [{"family": "a", "extension": [good]}]}, nickname) == []
    wrong = {
        **PATIENT,
        "name": [{"family": "a", "extension": [good, bad]}],
        "birthDate": "2001",
        "_birthDate": {"extension": [bad]},
    }
    assert told(wrong, nickname) == [
        ("error", "structure", "Patient.name[0].extension[1].value"),
        ("error", "structure", "Patient.birthDate.extension[0].value"),
    ]


def test_an_extension_is_told_from_others_by_its_definition() -> None:
    slices = (
        element("Patient.extension", slicing=sliced(("value", "url"))),
        element(
            "Patient.extension:nickname", min=1, max="1", type=[{"code": "Extension", "profile": [URL + "nickname"]}]
        ),
    )
    nicknamed = profile("p", "Patient", *slices)
    extension = {"url": URL + "nickname", "valueString": "a"}
    assert found({**PATIENT, "extension": [extension]}, nicknamed) == []
    assert found({**PATIENT, "extension": [{**extension, "url": "urn:x"}]}, nicknamed) == [("required", "Patient")]
    assert found({**PATIENT, "extension": [extension, extension]}, nicknamed) == [("structure", "Patient.extension[1]")]
