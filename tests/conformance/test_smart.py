"""Our server under the conformance kit: every check of SMART passes, or does not apply for a reason that is listed here."""

from __future__ import annotations

import pytest

from conformance.check import Check
from conformance.runner import run_check
from conformance.smart.context import SmartContext
from conformance.smart.run import CHECKS

pytestmark = pytest.mark.xdist_group("conformance-smart")

MAY_BE_SKIPPED = {
    "ehr_auth_tls": "the server under test is on loopback, without TLS",
    "token_tls": "the server under test is on loopback, without TLS",
    "smart_backend_services_token_tls_version": "the server under test is on loopback, without TLS",
    "user_access_brands": "the server publishes no brands",
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_smart(check: Check, smart_context: SmartContext) -> None:
    result = run_check(check, smart_context)
    if result.outcome == "skip" and check.id in MAY_BE_SKIPPED:
        pytest.skip(result.reason)
    exchanges = "\n".join(f"{each.method} {each.url} → {each.status}" for each in result.exchanges[-20:])
    assert result.outcome == "pass", f"{check.sentence} {result.reason}\n{exchanges}"
