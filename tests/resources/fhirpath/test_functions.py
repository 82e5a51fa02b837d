"""Each group of functions and operators, in tables of expression and result.

http://hl7.org/fhirpath/N1/
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from resources.fhirpath import FhirPathError, FhirPathSyntaxError, compile

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "contained": [{"resourceType": "Organization", "id": "o1", "name": "Clinic"}],
    "extension": [
        {"url": "http://e/age", "valueAge": {"value": 3, "code": "a", "system": "http://unitsofmeasure.org"}}
    ],
    "active": True,
    "name": [
        {"use": "official", "family": "Chalmers", "given": ["Peter", "James"], "period": {"start": "2001"}},
        {
            "use": "usual",
            "given": [None, "Jim"],
            "_given": [{"extension": [{"url": "http://e/x", "valueCode": "y"}]}, None],
        },
    ],
    "birthDate": "1974-12-25",
    "_birthDate": {"extension": [{"url": "http://e/time", "valueDateTime": "1974-12-25T14:35:45-05:00"}]},
    "deceasedDateTime": "2015-02-14",
    "generalPractitioner": [{"reference": "Practitioner/7"}, {"reference": "#o1"}],
    "managingOrganization": {"reference": "http://other/fhir/Organization/9/_history/2"},
}


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("Patient.name.family", ["Chalmers"]),
        ("Resource.id | DomainResource.active", ["p1", True]),
        ("Encounter.name", []),
        ("name.given", ["Peter", "James", "Jim"]),
        ("name.given.count()", [4]),
        ("name.given.hasValue()", [False]),
        ("name[1].given[0].extension('http://e/x').value", ["y"]),
        ("birthDate.extension.value is dateTime", [True]),
        ("deceased", ["2015-02-14"]),
        ("deceased is boolean", [False]),
        ("deceased.ofType(dateTime).exists()", [True]),
        ("extension.value is Quantity", [True]),
        ("extension.value > 2 years", [True]),
        ("name.children().count()", [8]),
        ("contained.descendants().count()", [2]),
        ("repeat(contained).name", ["Clinic"]),
        ('`name`."family"', ["Chalmers"]),
        ("type().name", ["Patient"]),
    ],
)
def test_paths_walk_over_resources(expression: str, result: list[Any]) -> None:
    assert compile(expression).evaluate(PATIENT) == result


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("generalPractitioner.where(resolve() is Practitioner).reference", ["Practitioner/7"]),
        ("generalPractitioner.where(resolve() is Organization).reference", ["#o1"]),
        ("generalPractitioner.resolve().name", ["Clinic"]),
        ("managingOrganization.resolve().id", ["9"]),
        ("managingOrganization.resolve() is Organization", [True]),
        ("'urn:uuid:1'.resolve()", []),
    ],
)
def test_resolve_tells_the_type_without_a_resolver(expression: str, result: list[Any]) -> None:
    assert compile(expression).evaluate(PATIENT) == result


def test_resolve_asks_the_resolver_first() -> None:
    found = {"resourceType": "Practitioner", "id": "7", "active": False}
    resolve = {"Practitioner/7": found}.get
    assert compile("generalPractitioner.resolve().active").evaluate(PATIENT, resolve=resolve) == [False]


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("1 + 2 * 3", [7]),
        ("7 / 2", [Decimal("3.5")]),
        ("-7 div 2", [-3]),
        ("-7 mod 2", [-1]),
        ("0.1 + 0.2 = 0.3", [True]),
        ("9223372036854775807 + 1", []),
        ("'a' & {} & 'b'", ["ab"]),
        ("true and {}", []),
        ("false and {}", [False]),
        ("{} implies true", [True]),
        ("true xor false or false", [True]),
        ("1 | 2 | 1", [1, 2]),
        ("2 in (1 | 2)", [True]),
        ("{} contains 1", [False]),
        ("'A ' ~ ' a'", [True]),
        ("1 'cm' = 10 'mm'", [True]),
        ("1 year = 12 months", [True]),
        ("1 year = 1 'a'", []),
        ("1 year ~ 1 'a'", [True]),
        ("1 'cm' > 1 's'", []),
        ("@2012 < @2012-01", []),
        ("@2012-01-01T10:00Z = @2012-01-01T12:00+02:00", [True]),
        ("@2012-01-01T10:00Z < @2012-01-05T10:00", [True]),
        ("@2012-01-31 + 1 month", ["2012-02-29"]),
        ("@2012 + 24 months", ["2014"]),
        ("@T23:30 + 1 hour", ["00:30"]),
        ("(1 | 2 | 3)[1]", [2]),
        ("{} = 1", []),
        ("{} ~ {}", [True]),
    ],
)
def test_operators(expression: str, result: list[Any]) -> None:
    assert compile(expression).evaluate(None) == result


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("(1 | 2).all($this > 0)", [True]),
        ("(1 | 2).select($this * 10 + $index)", [10, 21]),
        ("(1 | 2 | 3).aggregate($this + $total, 0)", [6]),
        ("(3 | 1 | 2).sort()", [1, 2, 3]),
        ("(1 | 2).subsetOf(1 | 2 | 3)", [True]),
        ("(1 | 2).combine(2).distinct().count()", [2]),
        ("(1 | 2).exclude(2)", [1]),
        ("iif(false, 1)", []),
        ("'abc'.substring(1, 1)", ["b"]),
        ("'a,b'.split(',')", ["a", "b"]),
        ("'Ärger'.length()", [5]),
        ("'abc'.replaceMatches('(b)c', '[$1]')", ["a[b]"]),
        ("'a\\u0062'", ["ab"]),
        ("'1.5'.toDecimal()", [Decimal("1.5")]),
        ("'x'.toInteger()", []),
        ("'2014-13'.convertsToDate()", [False]),
        ("'4 days'.toQuantity().toString()", ["4 days"]),
        ("1.5.round()", [2]),
        ("(-1.5).truncate()", [-1]),
        ("8.log(2)", [3]),
        ("2.power(100000)", []),
        ("4.sqrt()", [2]),
        ("now()", ["2024-02-29T12:30:00.000Z"]),
        ("today() - 1 year", ["2023-02-28"]),
        ("timeOfDay()", ["12:30:00.000"]),
        ("%custom + 1", [6]),
        ("'male'.memberOf('http://unknown/vs')", [True]),
        ("@2014.lowBoundary(8)", ["2014-01-01"]),
    ],
)
def test_functions(expression: str, result: list[Any]) -> None:
    clock = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
    assert compile(expression).evaluate(None, variables={"now": clock, "custom": 5}) == result


@pytest.mark.parametrize(
    "expression",
    [
        "1 +",
        "'open",
        "a.b.",
        "foo()",
        "where()",
        "1.as(Nothing)",
        "/* open",
        "@2014-13",
        "$other",
        "a b",
        "(" * 500,
        "",
    ],
)
def test_a_text_that_is_not_fhirpath_is_refused_with_its_position(expression: str) -> None:
    with pytest.raises(FhirPathSyntaxError) as raised:
        compile(expression)
    assert 0 <= raised.value.position <= len(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "(1 | 2).single()",
        "1 + 'a'",
        "(1 | 2) > 1",
        "name and true",
        "%nowhere",
        "deceasedDateTime",
        "-'a'",
        "name.upper()",
    ],
)
def test_an_evaluation_that_cannot_go_on_raises(expression: str) -> None:
    with pytest.raises(FhirPathError):
        compile(expression).evaluate(PATIENT)


def test_nodes_know_their_type_and_the_extensions_of_a_primitive() -> None:
    node = compile("birthDate").nodes(PATIENT)[0]
    assert (node.value, node.type_name) == ("1974-12-25", "date")
    assert node.sibling == PATIENT["_birthDate"]
    assert [n.type_name for n in compile("deceased | name | 1").nodes(PATIENT)] == [
        "dateTime",
        "HumanName",
        "HumanName",
        "System.Integer",
    ]


@pytest.mark.parametrize(("expression", "holds"), [("{}", False), ("'text'", True), ("active", True), ("1 = 2", False)])
def test_an_invariant_holds_only_where_it_is_true(expression: str, holds: bool) -> None:
    assert compile(expression).holds(PATIENT) is holds


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("name.given", ["Patient.name[0].given[0]", "Patient.name[0].given[1]", "Patient.name[1].given[0]"]),
        ("deceased", ["Patient.deceasedDateTime"]),
        ("contained.name", ["Patient.contained[0].name"]),
        ("birthDate.extension.value", ["Patient.birthDate.extension[0].valueDateTime"]),
        ("1", ["System.Integer"]),
    ],
)
def test_nodes_know_their_place(expression: str, paths: list[str]) -> None:
    assert [node.path for node in compile(expression).nodes(PATIENT)][:3] == paths
