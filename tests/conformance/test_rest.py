"""Our server under the conformance kit: every check of the group rest passes."""

from __future__ import annotations

import pytest

from conformance.check import Check
from conformance.rest_context import RestContext
from tests.conformance.rest_groups import checks_of, expect_pass

pytestmark = pytest.mark.xdist_group("conformance-rest")

MAY_BE_SKIPPED: dict[str, str] = {}
MAY_BE_NOTED = {
    "rest.metadata_mode": "a server may answer every mode with its CapabilityStatement",
    "rest.update_without_tags": "a version is what its client sent; labels go with what is replaced",
}


@pytest.mark.parametrize("check", checks_of("rest"), ids=lambda check: check.id)
def test_rest(check: Check, rest_context: RestContext) -> None:
    expect_pass(check, rest_context, MAY_BE_SKIPPED, MAY_BE_NOTED)
