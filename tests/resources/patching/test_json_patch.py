"""JSON Patch. https://www.rfc-editor.org/rfc/rfc6902"""

from __future__ import annotations

import json
import zipfile

import pytest

from resources.exact_json import exact, parse_exact, plain, written
from resources.patching import JsonPatch
from resources.problem import Problem


@pytest.fixture(scope="module")
def cases(shared):
    with zipfile.ZipFile(shared / "fhir/test-cases/fhirpath-and-patch-r4.zip") as archive:
        return json.loads(archive.read("r4/patch/json-patch-tests.json"))


def patched(text: str, *operations: dict) -> str:
    return written(JsonPatch.parse(json.dumps(operations).encode()).applied(parse_exact(text)))


def test_the_official_cases_come_out_as_they_should(cases):
    assert len(cases) == 16
    for case in cases:
        before = json.dumps(case["doc"])
        patch = json.dumps(case["patch"]).encode()
        if "error" in case:
            with pytest.raises(Problem):
                JsonPatch.parse(patch).applied(parse_exact(before))
        else:
            assert plain(JsonPatch.parse(patch).applied(parse_exact(before))) == case["expected"], case["comment"]


def test_what_is_not_touched_keeps_its_spelling():
    text = '{"a":1.00,"b":1e2,"c":"\\u00e9\\/","d":[-0.0,{"e":10.500}],"f":1}'
    assert patched(text, {"op": "replace", "path": "/f", "value": 2}) == text.replace('"f":1', '"f":2')
    assert patched(text, {"op": "add", "path": "/d/-", "value": 1.5}) == text.replace("10.500}]", "10.500},1.5]")


def test_a_failing_operation_undoes_those_before_it():
    tree = parse_exact('{"a":1}')
    operations = [{"op": "remove", "path": "/a"}, {"op": "remove", "path": "/a"}]
    with pytest.raises(Problem) as raised:
        JsonPatch.parse(json.dumps(operations).encode()).applied(tree)
    assert raised.value.status == 422
    assert "Operation 1 ('remove')" in raised.value.issues[0].text
    assert written(tree) == '{"a":1}'


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ({"op": "test", "path": "/a", "value": 2}, "another one"),
        ({"op": "test", "path": "/t", "value": 1}, "another one"),
        ({"op": "remove", "path": "/x"}, "nothing at '/x'"),
        ({"op": "remove", "path": ""}, "whole resource"),
        ({"op": "replace", "path": "/l/3", "value": 1}, "nothing at '/l/3'"),
        ({"op": "add", "path": "/l/4", "value": 1}, "nothing at '/l/4'"),
        ({"op": "add", "path": "/l/01", "value": 1}, "no index"),
        ({"op": "add", "path": "/l/-1", "value": 1}, "no index"),
        ({"op": "add", "path": "/a/b", "value": 1}, "neither an object nor an array"),
        ({"op": "move", "from": "/o", "path": "/o/p"}, "into itself"),
        ({"op": "copy", "from": "/x", "path": "/a"}, "nothing at '/x'"),
    ],
)
def test_what_cannot_be_done_is_said(operation, said):
    with pytest.raises(Problem) as raised:
        patched('{"a":1,"l":[1,2,3],"o":{"p":1},"t":true}', operation)
    assert raised.value.status == 422
    assert said in raised.value.issues[0].text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[1]",
        b"[{}]",
        b'[{"op":"remove"}]',
        b'[{"op":"grow","path":"/a"}]',
        b'[{"op":"remove","path":"a"}]',
        b'[{"op":"remove","path":"/~2"}]',
        b'[{"op":"remove","path":7}]',
        b'[{"op":"add","path":"/a"}]',
        b'[{"op":"move","path":"/a"}]',
        b"[" * 100_000,
        b"[" + b",".join([b'{"op":"test","path":"","value":1}'] * 1001) + b"]",
        b"\xff",
    ],
)
def test_a_body_that_is_no_patch_is_refused(body):
    with pytest.raises(Problem) as raised:
        JsonPatch.parse(body)
    assert raised.value.status == 400


def test_copies_of_copies_cannot_fill_the_memory():
    doubling = [{"op": "copy", "from": "", "path": f"/{n}"} for n in range(64)]
    with pytest.raises(Problem) as raised:
        patched('{"a":[1,2,3]}', *doubling)
    assert "copies too much" in raised.value.issues[0].text


def test_a_test_compares_numbers_by_their_value_and_objects_whatever_their_order():
    assert patched('{"a":1.0,"o":{"x":1,"y":2}}', {"op": "test", "path": "/a", "value": 1})
    assert patched('{"a":1.0,"o":{"x":1,"y":2}}', {"op": "test", "path": "/o", "value": {"y": 2, "x": 1}})


def test_a_plain_value_becomes_an_exact_one():
    assert written(exact({"a": [1, True, None, "é"]})) == '{"a":[1,true,null,"é"]}'
