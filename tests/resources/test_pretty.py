"""JSON indented for a person, its values untouched. https://hl7.org/fhir/R4/http.html#summary"""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from resources.pretty import pretty

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_every_member_has_a_line_and_every_level_two_blanks():
    text = b'{"a":[1.00,{"b":"{\\"[,:"}],"c":{},"d":[]}'
    assert pretty(text).decode() == (
        '{\n  "a": [\n    1.00,\n    {\n      "b": "{\\"[,:"\n    }\n  ],\n  "c": {},\n  "d": []\n}\n'
    )


@given(st.dictionaries(st.text(), values), st.booleans())
def test_the_value_stays_the_same_and_the_layout_is_that_of_the_standard_library(tree, ascii_only):
    text = json.dumps(tree, ensure_ascii=ascii_only)
    assert pretty(text.encode()).decode() == json.dumps(tree, ensure_ascii=ascii_only, indent=2) + "\n"


def test_what_is_pretty_stays_as_it_is():
    once = pretty(b'{"a":[1,2,{"b":null}]}')
    assert pretty(once) == once
