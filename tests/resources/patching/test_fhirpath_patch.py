"""FHIRPath Patch. https://hl7.org/fhir/R4/fhirpatch.html"""

from __future__ import annotations

import json
import zipfile
from typing import Any

import pytest
from lxml import etree

from resources.exact_json import parse_exact, plain, written
from resources.patching import FhirPathPatch
from resources.problem import Problem
from resources.xml import json_from_xml


@pytest.fixture(scope="module")
def cases(shared):
    """Name → its parts: input, diff, and output or error."""
    with zipfile.ZipFile(shared / "fhir/test-cases/fhirpath-and-patch-r4.zip") as archive:
        root = etree.fromstring(archive.read("r4/patch/fhir-patch-tests.xml"))
    return {
        f"{number} {case.get('name')}": {part.tag: part for part in case if isinstance(part.tag, str)}
        for number, case in enumerate(root.iter("case"))
    }


def json_of(part: etree._Element) -> str:
    return json_from_xml(etree.tostring(part[0], with_tail=False))


def operation(**parts: Any) -> dict[str, Any]:
    """A parameter of a patch; a value is given as (member, value) or as a part."""
    listed = []
    for name, value in parts.items():
        if isinstance(value, dict):
            listed.append({"name": name, **value})
        else:
            kind = {"type": "valueCode", "index": "valueInteger", "source": "valueInteger"}
            kind |= {"destination": "valueInteger"}
            listed.append({"name": name, kind.get(name, "valueString"): value})
    return {"name": "operation", "part": listed}


def patched(resource: dict[str, Any] | str, *operations: dict[str, Any]) -> Any:
    patch = {"resourceType": "Parameters", "parameter": list(operations)}
    text = resource if isinstance(resource, str) else json.dumps(resource)
    result = FhirPathPatch.parse(json.dumps(patch).encode()).applied(parse_exact(text))
    return written(result) if isinstance(resource, str) else plain(result)


def test_the_official_cases_come_out_as_they_should(cases):
    assert len(cases) == 33
    for name, parts in cases.items():
        patch = FhirPathPatch.parse(json_of(parts["diff"]).encode())
        before = parse_exact(json_of(parts["input"]))
        if "error" in parts:
            with pytest.raises(Problem):
                patch.applied(before)
        else:
            assert plain(patch.applied(before)) == json.loads(json_of(parts["output"])), name


PATIENT = {
    "resourceType": "Patient",
    "name": [{"given": ["a", "b"], "_given": [None, {"id": "x"}]}],
    "deceasedBoolean": False,
}


def test_values_and_their_extensions_move_together():
    assert patched(PATIENT, operation(type="move", path="Patient.name.given", source=1, destination=0))["name"] == [
        {"given": ["b", "a"], "_given": [{"id": "x"}, None]}
    ]
    assert patched(PATIENT, operation(type="delete", path="Patient.name.given[1]"))["name"] == [{"given": ["a"]}]
    inserted = operation(
        type="insert", path="Patient.name.given", index=0, value={"valueString": "z", "_valueString": {"id": "z"}}
    )
    assert patched(PATIENT, inserted)["name"] == [
        {"given": ["z", "a", "b"], "_given": [{"id": "z"}, None, {"id": "x"}]}
    ]


def test_a_choice_takes_another_type():
    found = patched(PATIENT, operation(type="replace", path="Patient.deceased", value={"valueDateTime": "2020"}))
    assert found["deceasedDateTime"] == "2020"
    assert "deceasedBoolean" not in found


def test_an_empty_list_can_be_inserted_into():
    value = {"valueContactPoint": {"value": "1"}}
    assert patched(PATIENT, operation(type="insert", path="Patient.telecom", index=0, value=value))["telecom"] == [
        {"value": "1"}
    ]


def test_what_is_not_touched_keeps_its_spelling():
    text = '{"resourceType":"Observation","valueQuantity":{"value":1.00,"unit":"\\u00b5g"},"status":"final"}'
    changed = operation(type="replace", path="Observation.status", value={"valueCode": "amended"})
    assert patched(text, changed) == text.replace("final", "amended")


def test_deleting_what_is_not_there_changes_nothing():
    assert patched(PATIENT, operation(type="delete", path="Patient.birthDate")) == PATIENT


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (operation(type="replace", path="Patient.birthDate", value={"valueDate": "2020"}), "no elements"),
        (operation(type="delete", path="Patient.name.given"), "more than one"),
        (operation(type="delete", path="Patient"), "no element within"),
        (operation(type="add", path="Patient", name="colour", value={"valueString": "x"}), "no element 'colour'"),
        (operation(type="add", path="Patient", name="deceased", value={"valueBoolean": True}), "already"),
        (operation(type="add", path="Patient", name="deceased", value={"valueString": "x"}), "cannot be of the type"),
        (
            operation(type="add", path="Patient.name.given[0]", name="id", value={"valueString": "x"}),
            "no elements to add to",
        ),
        (operation(type="insert", path="Patient.name", index=3, value={"valueHumanName": {}}), "between 0 and 1"),
        (operation(type="move", path="Patient.name", source=0, destination=1), "between 0 and 0"),
        (operation(type="delete", path="Patient.name.where("), "cannot be evaluated"),
        (operation(type="delete", path="'text'"), "no element within"),
    ],
)
def test_what_cannot_be_done_is_said(asked, said):
    with pytest.raises(Problem) as raised:
        patched(PATIENT, operation(type="delete", path="Patient.birthDate"), asked)
    assert raised.value.status == 422
    assert "Operation 1" in raised.value.issues[0].text
    assert said in raised.value.issues[0].text


def test_many_paths_that_multiply_are_stopped_together():
    inner = "%resource.descendants().where(%resource.descendants().exists().not()).exists()"
    patient = {"resourceType": "Patient", "name": [{"given": ["a"] * 40} for _ in range(5)]}
    slow = operation(type="delete", path=f"Patient.name.where({inner})")
    assert patched(patient, slow) == patient
    with pytest.raises(Problem) as raised:
        patched(patient, *[slow] * 1000)
    assert raised.value.status == 422
    assert "more than" in raised.value.issues[0].text


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'{"resourceType":"Patient"}',
        b'{"resourceType":"Parameters","parameter":7}',
        b'{"resourceType":"Parameters","parameter":[7]}',
        b'{"resourceType":"Parameters","parameter":[{"name":"other"}]}',
        b'{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"grow"}]}]}',
        json.dumps({"resourceType": "Parameters", "parameter": [operation(type="delete")]}).encode(),
        json.dumps({"resourceType": "Parameters", "parameter": [operation(type="replace", path="x")]}).encode(),
        json.dumps(
            {"resourceType": "Parameters", "parameter": [operation(type="move", path="x", source=-1, destination=0)]}
        ).encode(),
    ],
)
def test_a_body_that_is_no_patch_is_refused(body):
    with pytest.raises(Problem) as raised:
        FhirPathPatch.parse(body)
    assert raised.value.status == 400
