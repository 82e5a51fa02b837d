"""What meta.profile claims, as FHIR_PROFILES has it checked on write.

https://hl7.org/fhir/R4/resource.html#Meta.profile
"""

from __future__ import annotations

import pytest

from fhir_server.profile_checking import claims_check
from fhir_server.settings_table import ProfileMode
from tests.resources.profiles.definitions import URL, element, profile
from tests.resources.profiles.material import profiles_of

PROFILES = profiles_of([profile("named", "Patient", element("Patient.name", min=1))])


def test_nothing_is_checked_where_it_is_off() -> None:
    assert claims_check("off", PROFILES) is None


@pytest.mark.parametrize(("mode", "severity"), [("warn", "warning"), ("enforce", "error")])
def test_breaches_and_unknown_profiles_are_warnings_or_errors(mode: ProfileMode, severity: str) -> None:
    check = claims_check(mode, PROFILES)
    assert check is not None
    tree = {"resourceType": "Patient", "meta": {"profile": [URL + "named", URL + "unknown"]}}
    assert [(issue.severity, issue.code, issue.expression) for issue in check(tree, None)] == [
        (severity, "required", "Patient"),
        (severity, "not-found", "Patient.meta.profile[1]"),
    ]


def test_a_resource_that_claims_nothing_is_left_alone() -> None:
    check = claims_check("enforce", PROFILES)
    assert check is not None
    assert check({"resourceType": "Patient", "meta": {"tag": [{"code": "x"}]}}, None) == []
