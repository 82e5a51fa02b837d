"""Our server under the conformance kit: every check of the group paging passes."""

from __future__ import annotations

import pytest

from conformance.check import Check
from conformance.rest_context import RestContext
from tests.conformance.rest_groups import checks_of, expect_pass

pytestmark = pytest.mark.xdist_group("conformance-rest")

MAY_BE_SKIPPED: dict[str, str] = {}


@pytest.mark.parametrize("check", checks_of("paging"), ids=lambda check: check.id)
def test_paging(check: Check, rest_context: RestContext) -> None:
    expect_pass(check, rest_context, MAY_BE_SKIPPED)
