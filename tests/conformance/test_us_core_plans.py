"""The plans of US Core, and the records that the kit makes for them: what can be known without a server."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from conformance.command import main
from conformance.groups import groups_with
from conformance.rest_context import RestContext
from conformance.us_core.matching import holds, texts, values
from conformance.us_core.plans import GUIDES, Parameter, plans_of
from conformance.us_core.profiles import _extensions
from conformance.us_core.records import records
from tests.conformance.wrong.server import BASE

PLANS = Path(__file__).resolve().parents[2] / "conformance" / "us_core" / "plans.json"
LARGEST = 300_000
# A profile that supports several types of a value is tried with a quantity and a code.
UNTRIED = {
    (profile, path)
    for profile, path in (
        ("observation_clinical_result", "valueString"),
        ("observation_lab", "valueString"),
        ("observation_screening_assessment", "valueString"),
        ("simple_observation", "valueString"),
        ("simple_observation", "valueBoolean"),
    )
}


@pytest.fixture(scope="module")
def context() -> Iterator[RestContext]:
    """A context whose server takes everything, gives it an id, and finds nothing."""
    number = iter(range(1, 10_000))

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method != "POST":
            return httpx.Response(204 if request.method == "DELETE" else 404)
        return httpx.Response(201, json={"id": f"n{next(number)}", **json.loads(request.content)})

    with RestContext(BASE, transport=httpx.MockTransport(answer)) as made:
        yield made


def test_the_committed_plans_are_what_the_script_makes_of_the_official_ones(shared: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PLANS.parents[2] / "scripts")  # as where it is run as a script
        made = importlib.import_module("condense_us_core_plans").condense(shared / "fhir/us-core/api-test-plans.zip")
    assert PLANS.read_text(encoding="utf-8") == made, "run scripts/condense_us_core_plans.py"
    assert len(made) < LARGEST


def test_there_are_the_profiles_of_three_versions() -> None:
    assert {version: len(plans_of(version)) for version in GUIDES} == {"3.1.1": 32, "6.1.0": 48, "7.0.0": 51}
    patient = next(plan for plan in plans_of("6.1.0") if plan.name == "patient")
    assert ("SHALL", ("birthdate", "name")) in patient.searches
    assert patient.revincludes == ("Provenance:target",)
    assert "communication.language" in patient.must_support


@pytest.mark.parametrize("version", GUIDES)
def test_the_record_of_every_profile_fits_every_search_for_it_and_the_other_does_not(
    version: str, context: RestContext
) -> None:
    for plan in plans_of(version):
        made = records(context, plan).made
        for parameter in plan.parameters.values():
            if parameter.name == "_lastUpdated":
                continue  # of the server
            for text in texts(made[0], parameter)[:1]:
                assert holds(made[0], parameter, text), (plan.name, parameter.name)
                is_same = holds(made[1], parameter, text)
                assert is_same == (parameter.name == "patient"), (plan.name, parameter.name)
                break
            else:
                pytest.fail(f"{plan.name} has no value for {parameter.name}.")


@pytest.mark.parametrize("version", GUIDES)
def test_the_records_have_what_the_profiles_support(version: str, context: RestContext) -> None:
    untried = set()
    for plan in plans_of(version):
        sent = records(context, plan).sent
        paths = [path for path in plan.must_support if path.split(".")[0] != "meta"]
        untried |= {(plan.name, path) for path in paths if not any(values(tree, path) for tree in sent)}
        untried |= {(plan.name, url) for url in plan.extensions if not any(_extensions(tree, url) for tree in sent)}
    assert untried <= UNTRIED
    assert version != "6.1.0" or untried == UNTRIED


PERIOD = {"start": "2024-03-01T09:00:00Z", "end": "2024-03-01T10:00:00Z"}


@pytest.mark.parametrize(
    ("value", "text", "fits"),
    [
        ("2024-03-01", "2024-03-01", True),
        ("2024-03-01T09:00:00Z", "2024-03-01", True),
        ("2024-03-01", "gt2024-03-01", False),
        ("2024-03-02", "gt2024-03-01", True),
        ("2024-03-01", "ge2024-03-01", True),
        ("2024-03-01", "lt2024-03-01", False),
        ("2024-03-01", "le2024-03-01", True),
        (PERIOD, "2024-03-01", True),
        (PERIOD, "gt2024-03-01T09:30:00Z", True),
        (PERIOD, "sa2024-03-01T09:30:00Z", False),
        (PERIOD, "eb2024-03-02", True),
        ({"start": "2024-03-01"}, "gt2099-01-01", True),
        ({"end": "2024-03-01"}, "ne2024-03-01", True),
    ],
)
def test_dates_are_compared_as_fhir_says(value: object, text: str, fits: bool) -> None:
    parameter = Parameter("date", "date", ("effective",))
    assert holds({"effectiveDateTime": value}, parameter, text) is fits


def test_the_version_of_us_core_is_chosen_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["http://localhost:8080/fhir", "--us-core", "3.1.1", "--group", "us_core", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("us_core.3_1_1.patient.search_name" in line for line in lines)
    assert not [line for line in lines if not line.startswith("us_core.3_1_1.")]
    assert [group.name for group in groups_with("7.0.0")] == [group.name for group in groups_with("6.1.0")]
