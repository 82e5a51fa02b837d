"""The value sets that come with R4, beside the expansions that were published with them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resources.definitions import value_set_codes, value_set_definitions
from resources.terminology import R4, CannotExpand

VALUE_SET = "http://hl7.org/fhir/ValueSet/"
SNOMED = "http://snomed.info/sct"


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, dict[str, Any]]:
    """URL → published expansion of each value set."""
    with gzip.open(shared / "fhir/r4/definitions/valueset-expansions.json.gz") as file:
        resources = [entry["resource"] for entry in json.load(file)["entry"]]
    return {one["url"]: one["expansion"] for one in resources if one["resourceType"] == "ValueSet"}


def codes_of(contains: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for one in contains:
        yield one["system"], one["code"]
        yield from codes_of(one.get("contains", []))


# The published ones were made without the concept property `child`, so they miss what is below a second parent.
BY_SECOND_PARENT = {
    f"{VALUE_SET}detectedissue-category",
    "http://terminology.hl7.org/ValueSet/v3-ActPharmacySupplyType",
}
# The first thousand of more than six thousand codes that it lists one by one.
CUT = f"{VALUE_SET}c80-doc-typecodes"


def test_they_have_the_published_codes_and_besides_only_abstract_retired_and_deprecated_ones(
    published: dict[str, dict[str, Any]],
) -> None:
    same, more, not_told = 0, 0, []
    for url, expansion in published.items():
        theirs = set(codes_of(expansion.get("contains", [])))
        try:
            ours = R4.value_set(url)
        except CannotExpand as fault:
            not_told.append(fault)
            continue
        if ours is None:
            assert url.startswith("http://dicom.nema.org/")  # published without its definition
            continue
        keys = {entry.key for entry in ours.entries}
        assert theirs <= keys, url
        if theirs == keys:
            same += 1
        elif url not in BY_SECOND_PARENT | {CUT}:
            more += 1
            for entry in ours.entries:
                if entry.key not in theirs:
                    system = R4.code_system(entry.system)
                    assert system is not None
                    outdated = dict(system.concepts[entry.code].properties).get("status") in ("deprecated", "retired")
                    assert entry.is_abstract or entry.is_inactive or outdated, (url, entry)
    assert (same, more) == (481, 17)
    assert len(not_told) < 60
    # What they draw on is held by nobody without a licence, or is no list: SNOMED CT, LOINC, UCUM, MIME types.
    assert all(fault.system is not None and fault.code == "not-found" for fault in not_told)


def test_the_codes_that_validation_demands_are_those_that_can_be_selected() -> None:
    demanded = {url: codes for url in value_set_definitions() if (codes := value_set_codes(url)) is not None}
    assert len(demanded) == 221
    for url, codes in demanded.items():
        expansion = R4.value_set(url)
        assert expansion is not None
        assert expansion.selectable == codes


def test_an_entry_tells_the_display_and_the_version() -> None:
    expansion = R4.value_set(f"{VALUE_SET}observation-category")
    assert expansion is not None
    assert (expansion.version, len(expansion.entries)) == ("4.0.1", 9)
    vital = expansion.find("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")
    assert vital is not None
    assert (vital.display, vital.version) == ("Vital Signs", "4.0.1")
    assert expansion.find("urn:x", "vital-signs") is None


def test_an_abstract_code_is_in_the_set_and_cannot_be_selected() -> None:
    expansion = R4.value_set(f"{VALUE_SET}item-type")
    assert expansion is not None
    assert "question" in expansion.codes["http://hl7.org/fhir/item-type"]
    assert "question" not in expansion.selectable["http://hl7.org/fhir/item-type"]


def test_only_the_version_that_is_asked_for_will_do() -> None:
    assert R4.value_set(f"{VALUE_SET}administrative-gender|4.0.1") is not None
    assert R4.value_set(f"{VALUE_SET}administrative-gender|3.0.1") is None
    assert R4.value_set("urn:nothing") is None


def test_a_set_that_draws_on_what_is_not_held_says_what_is_missing() -> None:
    with pytest.raises(CannotExpand, match="no codes are held here, as its content is 'not-present'") as raised:
        R4.value_set(f"{VALUE_SET}body-site")
    assert (raised.value.system, raised.value.value_set) == (SNOMED, f"{VALUE_SET}body-site")
    with pytest.raises(CannotExpand, match="'urn:ietf:bcp:13' is not held here"):
        R4.value_set(f"{VALUE_SET}mimetypes")


def test_published_expansions_stand_in_for_systems_that_are_lists_of_others() -> None:
    currencies = R4.value_set(f"{VALUE_SET}currencies")
    assert currencies is not None
    assert "EUR" in currencies.codes["urn:iso:std:iso:4217"]
    stored = {url for url, definition in value_set_definitions().items() if "expansion" in definition}
    assert stored == {f"{VALUE_SET}{name}" for name in ("currencies", "formatcodes", "vaccine-code")}


def test_a_set_over_a_system_of_examples_says_that_there_may_be_more() -> None:
    expansion = R4.value_set(f"{VALUE_SET}service-type")
    assert expansion is not None
    assert expansion.partial == {"http://terminology.hl7.org/CodeSystem/service-type"}
    gender = R4.value_set(f"{VALUE_SET}administrative-gender")
    assert gender is not None
    assert not gender.partial
