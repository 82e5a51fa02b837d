"""Our server under the conformance kit: every check of the group us_core passes."""

from __future__ import annotations

import pytest

from conformance.check import Check
from conformance.rest_context import RestContext
from conformance.us_core.plans import plans_of
from conformance.us_core.profiles import checks_of as checks_of_version
from tests.conformance.rest_groups import checks_of, expect_pass

pytestmark = pytest.mark.xdist_group("conformance-rest")

MAY_BE_SKIPPED: dict[str, str] = {}


@pytest.mark.parametrize("check", checks_of("us_core"), ids=lambda check: check.id)
def test_us_core(check: Check, rest_context: RestContext) -> None:
    expect_pass(check, rest_context, MAY_BE_SKIPPED)


@pytest.mark.parametrize("version", ["3.1.1", "7.0.0"])
def test_the_profiles_that_another_version_alone_has(version: str, rest_context: RestContext) -> None:
    known = {plan.name for plan in plans_of("6.1.0")}
    alone = tuple(f".{plan.name}." for plan in plans_of(version) if plan.name not in known)
    checks = [check for check in checks_of_version(version) if any(name in check.id for name in alone)]
    assert len(checks) > 8 * len(alone) - 8 > 8
    for check in checks:
        expect_pass(check, rest_context, MAY_BE_SKIPPED)
