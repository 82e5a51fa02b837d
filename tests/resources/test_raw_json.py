"""JSON text that is refused, and where; and what of it is kept.

https://hl7.org/fhir/R4/json.html
"""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.problem import Problem
from resources.raw_json import MAX_DEPTH, lexical_tree, parse_object, without_line_breaks


def refusal(body: bytes | str) -> str:
    with pytest.raises(Problem) as raised:
        parse_object(body)
    assert raised.value.status == 400
    (issue,) = raised.value.issues
    assert issue.code == "structure"
    return issue.text


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ("  ", 1, 3),
        ("[]", 1, 1),
        ('"Patient"', 1, 1),
        ("{", 1, 2),
        ('{"a"}', 1, 5),
        ('{"a":}', 1, 6),
        ('{"a":1,}', 1, 8),
        ('{"a":1 "b":2}', 1, 8),
        ("{'a':1}", 1, 2),
        ('{"a":1}x', 1, 8),
        ('{"a":1}{"b":2}', 1, 8),
        ('{\n  "a": 1,\n  "b": tru\n}', 3, 8),
        ('{\n"a": {"b": [1,\n 2,,]}}', 3, 4),
        ('{"a":01}', 1, 7),
        ('{"a":+1}', 1, 6),
        ('{"a":.5}', 1, 6),
        ('{"a":"x\ty"}', 1, 8),
        ('{"a":"\\q"}', 1, 7),
        ('{"a":1/* no comments */}', 1, 7),
        ('{"a\n":1}', 1, 4),
    ],
)
def test_malformed_text_is_refused_with_line_and_column(text: str, line: int, column: int) -> None:
    assert f"line {line}, column {column}:" in refusal(text)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_number_is_refused(constant: str) -> None:
    assert "line 1, column" in refusal(f'{{"a":{constant}}}')
    assert "line 1, column" in refusal(f'{{"a":[{{"b":{constant}}}]}}')


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ('{"a":1,"a":1}', 8),
        ('{"a":1,"\\u0061":2}', 8),
        ('{"\\u0061":1,"a":2}', 13),
        ('{"a" :1,"a"\t: 2}', 9),
        ('{"x":{"a":1,"a":2}}', 13),
        ('{"x":[0,{"b":{"a":1,"c":2,"a":{}}}]}', 27),
        ('{"x":{"a" : 1, "\\u0061" :2}}', 16),
        ('{"x":{"a":1},"y":{"b":"\\":","b":2}}', 29),
        ('{"x":{"a":{"a":1}},"y":[{"a":1},{"a":1,"a":2}]}', 40),
    ],
)
def test_a_member_that_stands_twice_is_refused_where_it_stands_again(text: str, column: int) -> None:
    message = refusal(text)
    assert "'a' stands twice" in message or "'b' stands twice" in message
    assert f"line 1, column {column}:" in message


@pytest.mark.parametrize(
    "text",
    [
        '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}',
        '{"a":"\\"a\\":","b":"x\\\\\\":"}',
        '{"a":["\\":","{\\"a\\":1,\\"a\\":2}"],"b":{}}',
    ],
)
def test_equal_names_in_different_objects_and_within_strings_are_no_duplicates(text: str) -> None:
    assert parse_object(text)[1] == json.loads(text)


@pytest.mark.parametrize("escape", ["\\ud800", "\\uDFFF", "\\ude00\\ud83d", "x\\ud83dx", "\\ud83d\\ud83d"])
def test_an_unpaired_surrogate_is_refused_in_values_and_names(escape: str) -> None:
    assert "surrogate" in refusal(f'{{"a":"{escape}"}}')
    assert "surrogate" in refusal(f'{{"a":[{{"{escape}":1}}]}}')


def test_a_surrogate_pair_is_one_character() -> None:
    assert parse_object('{"a":"\\ud83d\\ude00"}')[1] == {"a": "😀"}


def test_a_byte_order_mark_is_passed_over_at_the_beginning_only() -> None:
    assert parse_object(b'\xef\xbb\xbf{"a":1}')[1] == {"a": 1}
    assert "line 1, column 1" in refusal('\ufeff{"a":1}')
    assert "line 1, column 2" in refusal(b'{\xef\xbb\xbf"a":1}')


@pytest.mark.parametrize(
    ("body", "byte"),
    [(b'{"a":"\xff"}', 7), (b'{"a":"\xc3"}', 7), (b'{"a":"\xed\xa0\x80"}', 7), (b"\xff\xfe{\x00}\x00", 1)],
)
def test_text_that_is_not_utf_8_is_refused_with_the_byte(body: bytes, byte: int) -> None:
    assert f"byte {byte} " in refusal(body)


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


def test_nesting_is_bounded() -> None:
    assert parse_object(nested(MAX_DEPTH - 1))[1]
    for text in (nested(MAX_DEPTH + 1), nested(100_000), '{"a":' + "[" * 500 + "]" * 500 + "}"):
        assert "nested deeper" in refusal(text)


def test_a_flood_of_brackets_is_refused_at_once() -> None:
    begun = time.perf_counter()
    refusal('{"a":' + "[" * 1_000_000)
    assert time.perf_counter() - begun < 5


def test_numbers_keep_their_spelling() -> None:
    tree = parse_object('{"a":1.00,"b":1e2,"c":-0.0,"d":123456789012345678901234567890.123456789,"e":1}')[1]
    assert [str(value) for value in tree.values()] == [
        "1.00",
        "1E+2",
        "-0.0",
        "123456789012345678901234567890.123456789",
        "1",
    ]
    assert isinstance(tree["b"], Decimal)
    assert isinstance(tree["e"], int)


@pytest.mark.parametrize("number", ["1" * 5000, "-" + "9" * 10_000, "1e99999999999999999999"])
def test_a_number_beyond_what_can_be_computed_with_is_refused(number: str) -> None:
    assert "cannot be read" in refusal(f'{{"a":{number}}}')


def test_each_members_place_is_known() -> None:
    text, tree, spans = parse_object(' { "a" : [1, 2] ,\n"b":"x"}')
    assert {name: text[span.start : span.end] for name, span in spans.items()} == {"a": '"a" : [1, 2]', "b": '"b":"x"'}
    assert {name: text[span.value : span.end] for name, span in spans.items()} == {"a": "[1, 2]", "b": '"x"'}
    assert list(tree) == list(spans)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), json_values, max_size=5), st.sampled_from([None, 0, 2, "\t"]), st.booleans())
def test_any_json_object_is_read_as_the_standard_library_reads_it(
    members: dict[str, Any], indent: int | str | None, ascii_only: bool
) -> None:
    text = json.dumps(members, indent=indent, ensure_ascii=ascii_only)
    try:
        text.encode()
    except UnicodeEncodeError:
        return  # a lone surrogate, which has tests of its own
    if any(0xD800 <= ord(c) <= 0xDFFF for c in json.dumps(members, ensure_ascii=False)):
        assert "surrogate" in refusal(text)
        return
    parsed_text, tree, spans = parse_object(text)
    assert tree == members
    compact, moved = without_line_breaks(parsed_text, spans)
    assert "\n" not in compact
    assert {name: json.loads(compact[span.value : span.end]) for name, span in moved.items()} == members


def read(body: bytes | str) -> Any:
    """The object, or the status of the refusal."""
    try:
        return parse_object(body)[1]
    except Problem as refused:
        return refused.status


@given(st.text(), st.sampled_from(["", '{"a":', '{"a":"']), st.sampled_from(["", "}", '"}']))
def test_any_text_is_an_object_or_a_problem(text: str, before: str, behind: str) -> None:
    try:
        expected = json.loads(before + text + behind, parse_float=Decimal)
    except ValueError:
        expected = None
    result = read(before + text + behind)
    assert result == expected if isinstance(result, dict) else result == 400


@given(st.binary())
def test_any_bytes_are_an_object_or_a_problem(body: bytes) -> None:
    text = b'{"a":"' + body + b'"}'
    result = read(text)
    assert result == json.loads(text) if isinstance(result, dict) else result == 400


def test_a_lexical_tree_tells_spellings_of_numbers_apart_but_not_white_space() -> None:
    assert lexical_tree('{"a":1.0}') == lexical_tree(b'{ "a" : 1.0 }')
    assert lexical_tree('{"a":1.0}') != lexical_tree('{"a":1.00}')
