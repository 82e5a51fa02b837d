"""The examples of US Core follow the profiles that they claim.

http://hl7.org/fhir/us/core/STU6.1/
"""

from __future__ import annotations

from pathlib import Path

from resources.problem import Issue
from tests.resources.profiles.material import US_CORE, errors, us_core


def test_every_example_of_us_core_6_1_0_is_clean(shared: Path) -> None:
    package = us_core(shared, "610")
    found = {name: errors(tree, package.profiles) for name, tree in package.examples.items()}
    assert len(found) == 183
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_every_profile_of_us_core_can_be_checked_against(shared: Path) -> None:
    for version, number in (("311", 30), ("610", 59)):
        package = us_core(shared, version)
        urls = [one["url"] for one in package.definitions if one["resourceType"] == "StructureDefinition"]
        assert len(urls) == number
        assert [url for url in urls if getattr(package.profiles.profile(url), "rules", None) is None] == []


def test_the_examples_of_us_core_3_1_1_have_only_faults_of_their_own(shared: Path) -> None:
    package = us_core(shared, "311")
    found = {name: errors(tree, package.profiles) for name, tree in package.examples.items()}
    assert len(found) == 84
    assert {name: _first(faults) for name, faults in found.items() if faults} == {
        # A link between entries that is no absolute URL, and a digest that is no base64.
        "Bundle-uscore-mo3": ("invariant", "Bundle.entry[1]"),
        "DiagnosticReport-cardiology-report": ("value", "DiagnosticReport.presentedForm[0].hash"),
        # Litres a minute, where the profile requires one of the common units of vital signs.
        "Observation-satO2-fiO2": ("code-invalid", "Observation.component[0].value"),
    }


def test_a_resource_that_claims_nothing_is_checked_against_the_profile_that_is_asked_about(shared: Path) -> None:
    profiles = us_core(shared, "610").profiles
    patient = {"resourceType": "Patient", "active": True}
    assert errors(patient, profiles) == []
    assert {issue.expression for issue in errors(patient, profiles, US_CORE + "us-core-patient")} == {"Patient"}


def _first(faults: list[Issue]) -> tuple[str, str | None]:
    return faults[0].code, faults[0].expression
