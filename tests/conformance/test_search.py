"""Our server under the conformance kit: every check of the group search passes."""

from __future__ import annotations

import pytest

from conformance.check import Check
from conformance.rest_context import RestContext
from tests.conformance.rest_groups import checks_of, expect_pass

pytestmark = pytest.mark.xdist_group("conformance-rest")

MAY_BE_SKIPPED = {
    "search.all_content": "words are indexed for the types that FHIR_TEXT_SEARCH names",
    "search.all_empty_value": "a parameter without a value is refused",
}


@pytest.mark.parametrize("check", checks_of("search"), ids=lambda check: check.id)
def test_search(check: Check, rest_context: RestContext) -> None:
    expect_pass(check, rest_context, MAY_BE_SKIPPED)
