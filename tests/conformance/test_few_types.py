"""A server of few types: what it does not claim is skipped, and what it claims is checked; nothing breaks."""

from __future__ import annotations

from wsgiref.types import WSGIApplication

import pytest

from conformance.groups import REST_GROUPS
from conformance.rest_context import RestContext
from conformance.runner import run_check
from tests.conformance.wrong.server import BASE, Answer, Ask, Real, Wrong, WrongServer

pytestmark = pytest.mark.xdist_group("conformance-rest")

GROUPS = ("search", "paging", "operations", "us_core")
PROFILES = ("patient", "encounter", "heart_rate", "medicationrequest", "goal")


def of_types(*types: str) -> Wrong:
    """What a server does that has some types alone."""

    def few(ask: Ask, real: Real) -> Answer:
        answer = real(ask)
        if ask.path == "metadata":
            tree = answer.tree
            rest = tree["rest"][0]
            kept = [each for each in rest["resource"] if each["type"] in types]
            for each in kept:
                for member in ("searchInclude", "searchRevInclude"):
                    of = [value for value in each[member] if value.partition(":")[0] in types]
                    each[member] = [value for value in of if value.partition(":")[2] in ("subject", "patient")]
            tree["rest"] = [{"mode": "server", "resource": kept}]
            return answer.saying(tree)
        first = ask.path.partition("/")[0]
        return answer if first in types or first[:1] in ("$", "_", "") else Answer(404)

    return few


@pytest.mark.parametrize(
    "types",
    [("Patient", "Encounter", "OperationDefinition"), ("Patient", "Observation", "ValueSet", "OperationDefinition")],
)
def test_a_server_of_few_types_fails_nothing(types: tuple[str, ...], application: WSGIApplication) -> None:
    with RestContext(BASE, transport=WrongServer(application, of_types(*types))) as context:
        context.patience = 0
        results = [
            run_check(check, context)
            for group in REST_GROUPS
            if group.name in GROUPS
            for check in group.checks
            if group.name != "us_core" or check.id.split(".")[2] in PROFILES
        ]
    assert [(each.check.id, each.reason) for each in results if each.outcome in ("fail", "error")] == []
    outcomes = [each.outcome for each in results]
    assert outcomes.count("pass") > 100
    assert outcomes.count("skip") > 50
