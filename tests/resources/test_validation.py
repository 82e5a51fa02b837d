"""What validation refuses, with which code, and at which element: structure and primitive values.

https://hl7.org/fhir/R4/json.html and https://hl7.org/fhir/R4/datatypes.html#primitive
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from resources.document import parse_document
from resources.validation import errors_of, validate

JsonObject = dict[str, Any]
Errors = list[tuple[str, str | None]]
Find = Callable[[str, JsonObject], Errors]

STRUCTURE: list[tuple[JsonObject, list[tuple[str, str]]]] = [
    # empty values and nulls
    ({"name": []}, [("structure", "name")]),
    ({"name": [{}]}, [("invariant", "name[0]")]),
    ({"maritalStatus": {}}, [("invariant", "maritalStatus")]),
    ({"gender": ""}, [("value", "gender")]),
    ({"gender": None}, [("value", "gender")]),
    ({"name": None}, [("structure", "name")]),
    ({"name": [None]}, [("structure", "name[0]")]),
    ({"name": [{"given": [None]}]}, [("value", "name[0].given[0]")]),
    ({"name": [{"given": ["a", None]}]}, [("value", "name[0].given[1]")]),
    ({"name": [{"id": "only"}]}, [("invariant", "name[0]")]),
    # JSON kinds
    ({"name": {"family": "x"}}, [("structure", "name")]),
    ({"name": "x"}, [("structure", "name")]),
    ({"name": ["x"]}, [("structure", "name[0]")]),
    ({"gender": ["male"]}, [("structure", "gender")]),
    ({"gender": {"a": 1}}, [("value", "gender")]),
    ({"active": "true"}, [("value", "active")]),
    ({"active": 1}, [("value", "active")]),
    ({"multipleBirthInteger": "2"}, [("value", "multipleBirth")]),
    ({"maritalStatus": [{"text": "x"}]}, [("structure", "maritalStatus")]),
    ({"birthDate": 1970}, [("value", "birthDate")]),
    # unknown members
    ({"colour": "red"}, [("structure", ".")]),
    ({"Gender": "male"}, [("structure", ".")]),
    ({"fhir_comments": ["x"]}, [("structure", ".")]),
    ({"name": [{"family": "x", "colour": "red"}]}, [("structure", "name[0]")]),
    ({"name": [{"resourceType": "HumanName", "family": "x"}]}, [("structure", "name[0]")]),
    ({"_id": {"extension": [{"url": "http://x", "valueCode": "y"}]}}, [("structure", ".")]),
    ({"_name": [{"id": "x"}]}, [("structure", ".")]),
    # cardinality
    ({"link": [{"type": "seealso"}]}, [("required", "link[0]")]),
    ({"communication": [{"preferred": True}]}, [("required", "communication[0]")]),
    # choices
    ({"deceasedBoolean": True, "deceasedDateTime": "2020"}, [("structure", "deceased")]),
    (
        {"deceasedBoolean": True, "_deceasedDateTime": {"extension": [{"url": "http://x", "valueCode": "y"}]}},
        [("structure", "deceased")],
    ),
    ({"deceased": True}, [("structure", ".")]),
    ({"deceasedString": "yes"}, [("structure", ".")]),
    # siblings of primitive values
    ({"_birthDate": {"id": "x"}}, [("invariant", "birthDate")]),
    ({"_birthDate": {}}, [("invariant", "birthDate")]),
    ({"_birthDate": None}, [("structure", "birthDate")]),
    ({"_birthDate": []}, [("structure", "birthDate")]),
    ({"birthDate": "1970", "_birthDate": {"colour": "red"}}, [("structure", "birthDate")]),
    ({"birthDate": "1970", "_birthDate": {"extension": []}}, [("structure", "birthDate.extension")]),
    ({"name": [{"given": ["a"], "_given": {"id": "x"}}]}, [("structure", "name[0].given")]),
    (
        {"name": [{"given": ["a"], "_given": [None, {"id": "x"}]}]},
        [("structure", "name[0].given"), ("invariant", "name[0].given[1]")],
    ),
    ({"name": [{"_given": []}]}, [("structure", "name[0].given")]),
    ({"name": [{"_given": [{"id": "x"}]}]}, [("invariant", "name[0].given[0]")]),
    ({"name": [{"given": [None], "_given": [None]}]}, [("value", "name[0].given[0]")]),
    ({"name": [{"_given": [None]}]}, [("invariant", "name[0].given[0]")]),
    # extensions
    ({"extension": [{"url": "http://x"}]}, [("invariant", "extension[0]")]),
    ({"extension": [{"valueCode": "x"}]}, [("required", "extension[0]")]),
    ({"extension": [{"url": "http://x", "valueCode": "y", "valueString": "y"}]}, [("structure", "extension[0].value")]),
    ({"extension": [{"url": "http://x", "valuePatient": {}}]}, [("structure", "extension[0]")]),
    (
        {"extension": [{"url": "http://x", "valueCode": "y", "extension": [{"url": "z", "valueCode": "y"}]}]},
        [("invariant", "extension[0]")],
    ),
    # ids
    ({"id": "with space"}, [("value", "id")]),
    ({"id": "a" * 65}, [("value", "id")]),
    ({"id": 5}, [("value", "id")]),
]


@pytest.mark.parametrize(("members", "expected"), STRUCTURE)
def test_a_patient_of_the_wrong_structure_is_refused(
    found: Find, members: JsonObject, expected: list[tuple[str, str]]
) -> None:
    assert found("Patient", members) == expected


SOUND: list[JsonObject] = [
    {},
    {"name": [{"given": ["a", None], "_given": [None, {"extension": [{"url": "http://x", "valueCode": "y"}]}]}]},
    {"birthDate": "1970", "_birthDate": {"id": "x"}},
    {"birthDate": "1970", "_birthDate": {"extension": [{"url": "http://x", "valueCode": "y"}]}},
    {"_birthDate": {"extension": [{"url": "http://x", "valueCode": "y"}]}},
    {"_gender": {"extension": [{"url": "http://x", "valueCode": "y"}]}},
    {"extension": [{"url": "http://x", "extension": [{"url": "y", "valueDecimal": 1.0}]}]},
    {"name": [{"family": " x "}], "id": "A-1.b", "multipleBirthInteger": 2},
    {"maritalStatus": {"coding": [{"code": "M"}]}},
    {"telecom": [{"system": "phone", "value": "1"}], "contact": [{"name": {"text": "x"}}]},
    {
        "managingOrganization": {"reference": "#o"},
        "contained": [{"resourceType": "Organization", "id": "o", "name": "x"}],
    },
]


@pytest.mark.parametrize("members", SOUND)
def test_a_sound_patient_is_accepted(found: Find, members: JsonObject) -> None:
    assert found("Patient", members) == []


PRIMITIVES: dict[str, tuple[list[Any], list[Any]]] = {
    "base64Binary": (["QUJD", "QQ==", "QU JD\n"], ["QUI", "Q!==", "=", 5, "Q===", "\u0660\u0660\u0660\u0660"]),
    "boolean": ([True, False], ["true", 0, 1, "", {}]),
    "canonical": (["http://x|1", "#x", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"], ["a b", "", 5, "urn:uuid:x"]),
    "code": (["a", "a b"], ["a  b", " a", "a ", "", "\ta", 5]),
    "date": (
        ["1970", "1970-01", "1970-01-31", "2024-02-29"],
        [
            "70",
            "1970-13",
            "1970-1",
            "1970-01-32",
            "2023-02-29",
            "1970-01-01T00:00:00Z",
            "0000",
            "1970-",
            " 1970",
            "١٩٧٠",
            1970,
        ],
    ),
    "dateTime": (
        ["1970", "1970-01-01", "1970-01-01T00:00:00Z", "1970-01-01T23:59:59.123456789-03:30", "2016-12-31T23:59:60Z"],
        [
            "1970-01-01T00:00:00",
            "1970-01-01T00:00Z",
            "1970-01-01T24:00:00Z",
            "1970-01-01 00:00:00Z",
            "1970-01-01T00:00:00+15:00",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:00z",
            "2023-04-31T00:00:00Z",
            "",
        ],
    ),
    "decimal": ([1, 1.5, -0.1, 1e10, 0], ["1", True, "1.5", "", None]),
    "id": (["a", "A-1.b", "1" * 64], ["", "a_b", "1" * 65, "é", "a\n", 5]),
    "instant": (["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.123+14:00"], ["1970-01-01", "1970-01-01T00:00:00", "x"]),
    "integer": ([0, -5, 2147483647, -2147483648], [2147483648, -2147483649, 1.0, 1.5, "1", True]),
    "markdown": (["# x", " x\n"], ["", "\x00", 5]),
    "oid": (["urn:oid:1.2.3", "urn:oid:2.0"], ["1.2.3", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1", "urn:oid:"]),
    "positiveInt": ([1, 2147483647], [0, -1, 1.0, "1", 2147483648]),
    "string": (["x", " ", "a\r\n\tb", "é😀"], ["", "\x00", "a\x1f", 5, False, ["x"], {}]),
    "time": (["00:00:00", "23:59:59.999"], ["24:00:00", "12:00", "12:00:00Z", "1:00:00", 12]),
    "unsignedInt": ([0, 1], [-1, 0.0, "0", 2147483648]),
    "uri": (["http://x", "urn:x", "x", "URN:y"], ["a b", "", " ", 5, "http://x\n", "urn:uuid:not-one"]),
    "url": (["http://x"], ["a b", "", True]),
    "uuid": (
        ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
        ["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:c757873d"],
    ),
}


@pytest.mark.parametrize(
    ("type_name", "value"), [(name, value) for name, (good, _) in PRIMITIVES.items() for value in good]
)
def test_a_value_in_the_form_of_its_primitive_type_is_accepted(found: Find, type_name: str, value: Any) -> None:
    member = f"value{type_name[0].upper()}{type_name[1:]}"
    assert found("Patient", {"extension": [{"url": "http://x", member: value}]}) == []


@pytest.mark.parametrize(
    ("type_name", "value"), [(name, value) for name, (_, bad) in PRIMITIVES.items() for value in bad]
)
def test_a_value_of_another_form_is_refused(found: Find, type_name: str, value: Any) -> None:
    member = f"value{type_name[0].upper()}{type_name[1:]}"
    (error,) = found("Patient", {"extension": [{"url": "http://x", member: value}]})
    assert error in [("value", "extension[0].value"), ("structure", "extension[0].value")]


def test_every_primitive_type_has_its_row() -> None:
    assert len(PRIMITIVES) + len(["xhtml"]) == 20


@pytest.mark.parametrize("number", ["1e500", "1e-500", "9" * 500, "0." + "0" * 500 + "1"])
def test_a_decimal_beyond_reason_is_refused(number: str) -> None:
    tree = parse_document(
        '{"resourceType":"Basic","code":{"text":"x"},"extension":[{"url":"http://x","valueDecimal":1}]}'
    )
    issues = validate(
        parse_document(tree.text.replace('"valueDecimal":1', f'"valueDecimal":{number}')).tree,
    )
    assert [(issue.code, issue.expression) for issue in issues] == [("value", "Basic.extension[0].value")]


def test_a_string_longer_than_one_megabyte_is_refused(found: Find) -> None:
    assert found("Patient", {"name": [{"text": "x" * (1024 * 1024)}]}) == []
    assert found("Patient", {"name": [{"text": "x" * (1024 * 1024 + 1)}]}) == [("value", "name[0].text")]


def test_all_that_is_wrong_is_reported_at_once(found: Find) -> None:
    errors = found(
        "Observation",
        {
            "id": "no id",
            "status": "done",
            "colour": "red",
            "category": [],
            "subject": {"reference": "Medication/1"},
            "effectiveDateTime": "yesterday",
            "valueQuantity": {"value": "5", "code": "kg"},
            "dataAbsentReason": {"text": ""},
            "component": [{"code": {"text": "x"}}, {"valueString": 5}],
        },
    )
    assert errors == [
        ("value", "id"),
        ("code-invalid", "status"),
        ("structure", "."),
        ("structure", "category"),
        ("value", "subject"),
        ("value", "effective"),
        ("value", "value.value"),
        ("invariant", "value"),
        ("value", "dataAbsentReason.text"),
        ("value", "component[1].value"),
        ("required", "component[1]"),
        ("required", "."),
        ("invariant", "."),
    ]


def test_an_issue_quotes_the_value_and_names_the_place_that_the_caller_gives() -> None:
    tree = parse_document('{"resourceType":"Patient","gender":"mail"}').tree
    (issue,) = validate(tree, "Bundle.entry[2].resource")
    assert issue.expression == "Bundle.entry[2].resource.gender"
    assert "'mail'" in issue.text
    assert "female" in issue.text
    assert issue.severity == "error"


def test_advice_is_a_warning_and_no_error() -> None:
    tree = parse_document('{"resourceType":"ValueSet","status":"draft","name":"not a computer name"}').tree
    issues = validate(tree)
    assert [(issue.severity, issue.code, issue.expression) for issue in issues] == [
        ("warning", "invariant", "ValueSet")
    ]
    assert errors_of(issues) == []
