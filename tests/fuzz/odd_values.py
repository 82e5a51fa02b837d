"""Cursors and patches that hardly anybody would send, and a patch that fits, to be mutated."""

from __future__ import annotations

from typing import Any

PATCH = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "operation",
            "part": [
                {"name": "type", "valueCode": "replace"},
                {"name": "path", "valueString": "Patient.name[0].family"},
                {"name": "value", "valueString": "x", "_valueString": {"id": "y"}},
            ],
        },
        {
            "name": "operation",
            "part": [
                {"name": "type", "valueCode": "move"},
                {"name": "path", "valueString": "Patient.name.given"},
                {"name": "source", "valueInteger": 0},
                {"name": "destination", "valueInteger": 0},
            ],
        },
    ],
}
JSON_PATCHES: list[Any] = [
    [{"op": "replace", "path": "/active", "value": True}],
    [{"op": "add", "path": "/name/-", "value": {"family": "\ud800"}}],
    [{"op": "copy", "from": "", "path": "/x"}],
    [{"op": "move", "from": "/name/0", "path": "/name/9"}],
    [{"op": "test", "path": "/name", "value": 1e400}],
    [{"op": "remove", "path": "/resourceType"}],
    [{"op": "replace", "path": "", "value": []}],
    [{"op": "add", "path": "/name/99999999999999999999", "value": None}],
    [[]],
    {},
    None,
]
CURSORS: list[Any] = [
    "", "x", [], {}, 1, None, ["fuzz"], [1], [None], ["\x00"], ["\ud800"], [[]], [{"$gt": ""}], ["a", "b"],
    [0, "Patient", "a"], [10**30, "Patient", "a"], [-(10**30), "A", "a"], [2**63, "Z", "a"], [-(2**63), "Patient", ""],
    [1e400, "Patient", "a"], [True, "Patient", "a"],
    [5, "Patient", "\ud800"], [5, "\ud800", "a"], [5, "Patient", "x" * 100000],
]  # fmt: skip
