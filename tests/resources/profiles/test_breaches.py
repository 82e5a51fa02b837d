"""Fifty and more breaches of US Core 6.1.0, each made by hand in a published example, and where each is reported.

http://hl7.org/fhir/us/core/STU6.1/

`breaches.json` has a breach a line: what is wrong, the example, the member that is changed and its new value (null where
it is removed), and the code and place of the issue that tells of it.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from resources.profiles import check_profiles
from resources.validation import errors_of, validate
from tests.resources.profiles.material import Json, us_core

BREACHES = json.loads(Path(__file__).with_name("breaches.json").read_text(encoding="utf-8"))


def changed(tree: Json, path: str, value: Any) -> Json:
    """A copy with another value of one member; where a choice gets another type, the value is the member instead."""
    copied = copy.deepcopy(tree)
    *above, last = path.split(".")
    holder: Any = copied
    for step in above:
        holder = holder[int(step)] if step.isdigit() else holder[step]
    key = int(last) if last.isdigit() else last
    if value is None:
        del holder[key]
    elif isinstance(value, dict) and any(name.startswith("effective") for name in value):
        del holder[key]
        holder.update(value)
    else:
        holder[key] = value
    return copied


@pytest.mark.parametrize("breach", BREACHES, ids=[breach["what"] for breach in BREACHES])
def test_a_breach_is_reported_at_its_element(shared: Path, breach: Json) -> None:
    package = us_core(shared, "610")
    tree = changed(package.examples[breach["example"]], breach["member"], breach["value"])
    assert errors_of(validate(tree)) == []
    found = errors_of(check_profiles(tree, package.profiles))
    assert (breach["code"], breach["at"]) in {(issue.code, issue.expression) for issue in found}
    assert all("http://hl7.org/fhir/us/core/StructureDefinition/" in issue.text for issue in found)


def test_there_are_at_least_fifty_breaches() -> None:
    assert len({breach["what"] for breach in BREACHES}) == len(BREACHES) >= 50
