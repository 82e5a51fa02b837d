"""The splice of id and meta into a client's text: everything else is kept to the byte.

https://hl7.org/fhir/R4/resource.html#Meta
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.document import instant, parse_document
from resources.problem import Problem
from resources.raw_json import lexical_tree, parse_object

AT = 1_769_851_800_123  # 2026-01-31T09:30:00.123Z
OWNED = '"versionId":"3","lastUpdated":"2026-01-31T09:30:00.123Z"'


def stored(text: str) -> str:
    return parse_document(text).stored("p1", 3, AT).decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '{"resourceType":"Patient"}',
            f'{{"resourceType":"Patient","id":"p1","meta":{{{OWNED}}}}}',
        ),
        (
            ' { "active" : true , "resourceType" : "Patient" , "id" : "old" } \n',
            f'{{ "active" : true , "resourceType" : "Patient" , "id":"p1","meta":{{{OWNED}}} }}',
        ),
        (
            '{"meta":{"versionId":"9","profile":["http://x"],"lastUpdated":"2020"},"resourceType":"Patient"}',
            f'{{"meta":{{{OWNED},"profile":["http://x"]}},"resourceType":"Patient","id":"p1"}}',
        ),
        (
            '{"id":"a","resourceType":"Patient","meta":{}}',
            f'{{"id":"p1","resourceType":"Patient","meta":{{{OWNED}}}}}',
        ),
        (
            '{"resourceType":"Patient","meta":{"_versionId":{"id":"x"},"_lastUpdated":{"id":"y"}, "tag" : [ {} ]}}',
            f'{{"resourceType":"Patient","id":"p1","meta":{{{OWNED},"tag" : [ {{}} ]}}}}',
        ),
        (
            '{"resourceType":"Observation","valueQuantity":{"value":1.00},"x":"\\u00e9\\/é"}',
            f'{{"resourceType":"Observation","id":"p1","meta":{{{OWNED}}},"valueQuantity":{{"value":1.00}},"x":"\\u00e9\\/é"}}',
        ),
        (
            '{\r\n  "resourceType": "Patient",\r\n  "text": {"div": "a\\nb"}\r\n}\r\n',
            f'{{  "resourceType": "Patient","id":"p1","meta":{{{OWNED}}},  "text": {{"div": "a\\nb"}}}}',
        ),
        (
            '{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"c","meta":{"versionId":"1"}}]}',
            f'{{"resourceType":"Patient","id":"p1","meta":{{{OWNED}}},'
            '"contained":[{"resourceType":"Patient","id":"c","meta":{"versionId":"1"}}]}',
        ),
        (
            '{"resourceType":"Patient","\\u0069d":"old"}',
            f'{{"resourceType":"Patient","id":"p1","meta":{{{OWNED}}}}}',
        ),
    ],
)
def test_id_and_meta_are_spliced_in_and_nothing_else_changes(text: str, expected: str) -> None:
    assert stored(text) == expected


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(
    lambda name: name not in ("resourceType", "id", "meta")
)
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=2).map(lambda number: f"{number:f}")


@st.composite
def spellings(draw: st.DrawFn, depth: int = 2) -> str:
    """The JSON text of any value, with spellings and white space that a client may use."""
    kind = draw(st.integers(0, 5 if depth else 3))
    space = draw(st.sampled_from(["", "", " ", "\n  ", "\r\n\t"]))
    if kind == 0:
        return draw(numbers)
    if kind == 1:
        return draw(st.sampled_from(["true", "false", "null", "1.00", "-0", "1E+2", "0.10", '"\\u00e9"', '"a\\/b"']))
    if kind in (2, 3):
        return json.dumps(
            draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=8)), ensure_ascii=draw(st.booleans())
        )
    if kind == 4:
        return f"[{space}" + f"{space},".join(draw(st.lists(spellings(depth - 1), max_size=3))) + f"{space}]"
    members = draw(st.dictionaries(names, spellings(depth - 1), max_size=3))
    return f"{{{space}" + f",{space}".join(f"{json.dumps(k)}{space}:{v}" for k, v in members.items()) + f"{space}}}"


@st.composite
def resources(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """The text of a resource and the spelling of each member's value."""
    members = draw(st.dictionaries(names, spellings(), max_size=4))
    members["resourceType"] = '"Basic"'
    if draw(st.booleans()):
        members["id"] = draw(st.sampled_from(['"x"', "null", "5", '{"a":1}']))
    if draw(st.booleans()):
        kept = draw(st.dictionaries(names, spellings(), max_size=2))
        owned = draw(st.sampled_from([{}, {"versionId": '"7"'}, {"lastUpdated": "1", "versionId": '"7"'}]))
        inner = draw(st.permutations([*kept.items(), *owned.items()]))
        members["meta"] = "{ " + " , ".join(f"{json.dumps(k)}:{v}" for k, v in inner) + "\n}"
    space = draw(st.sampled_from(["", " ", "\n    ", "\t\r\n"]))
    ordered = draw(st.permutations(list(members.items())))
    text = (
        f"{space}{{{space}" + f",{space}".join(f"{json.dumps(k)}:{space}{v}" for k, v in ordered) + f"{space}}}{space}"
    )
    return text, members


@given(resources())
def test_any_resource_in_any_spelling_keeps_every_other_member_to_the_byte(made: tuple[str, dict[str, str]]) -> None:
    text, members = made
    document = parse_document(text)
    result = document.stored("p1", 3, AT)
    again = parse_document(result)

    assert b"\n" not in result
    assert b"\r" not in result
    assert again.tree["id"] == "p1"
    before, after = lexical_tree(text), lexical_tree(result)
    meta = before.get("meta") or {}
    kept = {name: value for name, value in meta.items() if name not in ("versionId", "lastUpdated")}
    assert after["meta"] == {"versionId": "3", "lastUpdated": "2026-01-31T09:30:00.123Z", **kept}
    assert {**after, "id": 0, "meta": 0} == {**before, "id": 0, "meta": 0}
    for name, spelling in members.items():
        if name not in ("id", "meta"):
            span = parse_object(result)[2][name]
            assert again.text[span.value : span.end] == spelling.replace("\r", "").replace("\n", "")
    outside = [name for name in before if name not in ("id", "meta")]
    assert [name for name in after if name not in ("id", "meta")] == outside


@given(resources())
def test_storing_twice_changes_nothing_and_says_the_same(made: tuple[str, dict[str, str]]) -> None:
    document = parse_document(made[0])
    once = document.stored("p1", 3, AT)
    assert parse_document(once).stored("p1", 3, AT) == once
    assert document.says_the_same_as(once, "p1", 3, AT)
    assert parse_document(once).says_the_same_as(once, "p1", 3, AT)
    assert not document.says_the_same_as(once, "p1", 4, AT)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ('{"resourceType":"Basic","a":1.0}', True),
        ('{ "a" : 1.0 , "resourceType" : "Basic" }', True),
        ('{"resourceType":"Basic","id":"other","meta":{"versionId":"99"},"a":1.0}', True),
        ('{"resourceType":"Basic","a":1.00}', False),
        ('{"resourceType":"Basic","a":1}', False),
        ('{"resourceType":"Basic","a":1.0,"b":null}', False),
        ('{"resourceType":"Basic","meta":{"tag":[]},"a":1.0}', False),
    ],
)
def test_what_counts_as_the_same_are_contents_and_spellings_of_numbers(text: str, same: bool) -> None:
    kept = parse_document('{"resourceType":"Basic","a":1.0}').stored("p1", 3, AT)
    assert parse_document(text).says_the_same_as(kept, "p1", 3, AT) is same


def test_a_resource_of_5_mb_is_stored_in_seconds() -> None:
    data = "QUJD" * 1_300_000
    text = f'{{\n  "resourceType": "Binary",\n  "contentType": "text/plain",\n  "data": "{data}"\n}}'
    begun = time.perf_counter()
    result = parse_document(text.encode()).stored("b", 1, AT)
    assert time.perf_counter() - begun < 5
    assert len(result) > 5_000_000
    assert json.loads(result)["data"] == data


def test_many_small_members_of_5_mb_are_stored_in_seconds() -> None:
    entries = ",\n".join(f'{{"url":"http://example.org/{n}","valueDecimal":{n}.10}}' for n in range(80_000))
    text = f'{{"resourceType":"Basic","extension":[{entries}]}}'
    begun = time.perf_counter()
    result = parse_document(text).stored("b", 1, AT)
    assert time.perf_counter() - begun < 10
    assert b'"valueDecimal":79999.10' in result


@pytest.mark.parametrize(
    ("text", "expected_type", "code", "expression"),
    [
        ("{}", None, "structure", "Resource"),
        ("{}", "Patient", "structure", "Patient"),
        ('{"resourceType":"Patientt"}', None, "structure", "Resource"),
        ('{"resourceType":"DomainResource"}', None, "structure", "Resource"),
        ('{"resourceType":"HumanName"}', None, "structure", "Resource"),
        ('{"resourceType":["Patient"]}', None, "structure", "Resource"),
        ('{"resourceType":null}', None, "structure", "Resource"),
        ('{"resourceType":{}}', "Patient", "structure", "Patient"),
        ('{"resourceType":"Observation"}', "Patient", "invalid", "Patient"),
    ],
)
def test_a_resource_type_must_be_there_known_and_the_expected_one(
    text: str, expected_type: str | None, code: str, expression: str
) -> None:
    with pytest.raises(Problem) as raised:
        parse_document(text, expected_type)
    (issue,) = raised.value.issues
    assert (raised.value.status, issue.code, issue.expression) == (400, code, expression)


@pytest.mark.parametrize("value", [None, 5, [], {"a": 1}, "not an id!"])
def test_the_id_is_handed_over_as_the_client_wrote_it(value: Any) -> None:
    document = parse_document(json.dumps({"resourceType": "Patient", "id": value}))
    assert document.id == value
    assert json.loads(document.stored("p1", 1, AT))["id"] == "p1"


@pytest.mark.parametrize("meta", ["null", "5", "[]", '"x"'])
def test_a_meta_that_is_no_object_is_replaced(meta: str) -> None:
    assert json.loads(stored(f'{{"resourceType":"Patient","meta":{meta}}}'))["meta"]["versionId"] == "3"


def test_an_instant_has_milliseconds_and_is_in_utc() -> None:
    assert instant(0) == "1970-01-01T00:00:00.000Z"
    assert instant(AT) == "2026-01-31T09:30:00.123Z"
    assert instant(AT - 123) == "2026-01-31T09:30:00.000Z"
