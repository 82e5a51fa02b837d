"""Cursors come back as they were given out, and nothing else does."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.problem import Problem
from search.cursor import decode_cursor, encode_cursor

KEY = b"k" * 32
QUERY = "http://x.example/fhir/Patient?name=a&_count=2"
POSITIONS = st.lists(st.none() | st.integers(-(2**60), 2**60) | st.text(st.characters(codec="utf-8")), max_size=4)


@given(POSITIONS, st.text(st.characters(codec="utf-8")))
def test_a_position_comes_back_as_it_was(position, query):
    cursor = encode_cursor(position, query, KEY)
    assert decode_cursor(cursor, query, KEY) == position
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert cursor.isascii()


def test_a_cursor_is_good_for_one_query_and_one_key():
    cursor = encode_cursor(["a", None], QUERY, KEY)
    for query, key in ((QUERY + "0", KEY), (QUERY[:-1], KEY), ("", KEY), (QUERY, b"x" * 32)):
        with pytest.raises(Problem) as refused:
            decode_cursor(cursor, query, key)
        assert refused.value.status == 400


def test_a_cursor_does_not_tell_its_position():
    cursor = encode_cursor([1700000000000, "Observation", "hidden-id"], QUERY, KEY)
    content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert b"Observation" not in content
    assert b"hidden-id" not in content
    other = encode_cursor([1700000000000, "Observation", "another-id"], QUERY, KEY)
    assert cursor[12:40] != other[12:40]


def test_what_was_changed_is_refused():
    cursor = encode_cursor(["Smith\x00a1", "a1"], QUERY, KEY)
    content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    for number in range(len(content)):
        for bit in (1, 128):
            changed = content[:number] + bytes([content[number] ^ bit]) + content[number + 1 :]
            with pytest.raises(Problem):
                decode_cursor(base64.urlsafe_b64encode(changed).decode().rstrip("="), QUERY, KEY)


@given(st.text() | st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_text_that_was_never_given_out_is_refused(text):
    with pytest.raises(Problem) as refused:
        decode_cursor(text, QUERY, KEY)
    assert refused.value.status == 400
    assert "cursor" in refused.value.issues[0].text


def test_the_end_of_one_part_is_not_the_beginning_of_the_next():
    """The signature tells position and query apart, though it is made over both."""
    cursor = encode_cursor(["a"], "b", KEY)
    content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    moved = base64.urlsafe_b64encode(content + b"\0").decode().rstrip("=")
    with pytest.raises(Problem):
        decode_cursor(moved, "b"[1:], KEY)
