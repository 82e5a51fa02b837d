"""Faults of operations, and of what US Core asks for."""

from __future__ import annotations

from typing import Any

from tests.conformance.wrong.fault import Faults
from tests.conformance.wrong.server import FHIR_JSON, Answer, Ask, Real

faults = Faults()

GOOD = {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]}


def _is(ask: Ask, name: str) -> bool:
    return ask.parts[-1:] == [f"${name}"]


def _entries(answer: Answer) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = (answer.bundle or {}).get("entry", [])
    return entries


@faults("$everything without a type", "operations.everything_of_patient", "operations.everything_pages")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is(ask, "everything") and answer.bundle:
        kept = [entry for entry in _entries(answer) if entry["resource"]["resourceType"] != "RiskAssessment"]
        return answer.saying({**answer.bundle, "entry": kept})
    return answer


@faults("$everything that ignores its parameters", "operations.everything_type", "operations.everything_dates")
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.without_parameters("_type", "_since", "start", "end") if _is(ask, "everything") else ask)


@faults("$everything with what other patients have", "operations.everything_nothing_of_others")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is(ask, "everything") and answer.bundle:
        others = real.get("Encounter?status=in-progress&_count=100").bundle.get("entry", [])
        return answer.saying({**answer.bundle, "entry": [*_entries(answer), *others]})
    return answer


@faults(
    "$validate that finds everything good",
    "operations.validate_bad",
    "operations.validate_invariant",
    "operations.validate_update",
    "operations.validate_unknown_profile",
)
def _(ask: Ask, real: Real) -> Answer:
    return Answer(200, {"content-type": FHIR_JSON}).saying(GOOD) if _is(ask, "validate") else real(ask)


@faults("$validate that stores what it validates", "operations.validate_stores_nothing")
def _(ask: Ask, real: Real) -> Answer:
    tree = ask.tree
    if _is(ask, "validate") and tree.get("resourceType") == "Patient" and "mode=create" in ask.query:
        real(Ask("POST", "Patient", headers={"content-type": FHIR_JSON}).sending(tree))
    return real(ask)


@faults("an expansion that is cut short", "operations.expand_whole", "operations.expand_pages")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is(ask, "expand") and answer.status == 200:
        tree = answer.tree
        tree["expansion"]["contains"] = tree["expansion"].get("contains", [])[:10]
        return answer.saying(tree)
    return answer


@faults("a filter of codes that is ignored", "operations.expand_filter")
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.without_parameters("filter") if _is(ask, "expand") else ask)


@faults("any code in any value set", "operations.validate_code", "operations.validate_code_system")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is(ask, "validate-code") and answer.status == 200:
        return answer.saying({"resourceType": "Parameters", "parameter": [{"name": "result", "valueBoolean": True}]})
    return answer


@faults("$meta-add in place of what was there", "operations.meta_add")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is(ask, "meta-add") and answer.status == 200:
        new = ask.tree["parameter"][0]["valueMeta"]
        return answer.saying({**answer.tree, "parameter": [{"name": "return", "valueMeta": new}]})
    return answer


@faults("$meta-delete that does nothing", "operations.meta_delete")
def _(ask: Ask, real: Real) -> Answer:
    if _is(ask, "meta-delete"):
        return real.get("/".join([*ask.parts[:-1], "$meta"]))
    return real(ask)


@faults("matches with the worst first", "operations.match_scores")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is(ask, "match") and answer.bundle:
        entries = [{**entry, "search": {**entry["search"], "score": 1.5}} for entry in _entries(answer)]
        return answer.saying({**answer.bundle, "entry": entries})
    return answer


@faults("a definition of another operation", "operations.definitions_can_be_read")
def _(ask: Ask, real: Real) -> Answer:
    return real.get("OperationDefinition/reindex") if ask.parts[:1] == ["OperationDefinition"] else real(ask)


@faults("unknown operations that do nothing", "operations.unknown")
def _(ask: Ask, real: Real) -> Answer:
    return Answer(200) if _is(ask, "no-such-operation") else real(ask)


@faults("a change by GET", "operations.get_changes_nothing")
def _(ask: Ask, real: Real) -> Answer:
    return real.get("/".join([*ask.parts[:-1], "$meta"])) if ask.method == "GET" and _is(ask, "meta-add") else real(ask)


@faults(
    "extensions that are lost",
    "us_core.6_1_0.patient.must_support",
    "us_core.6_1_0.questionnaireresponse.must_support",
)
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if ask.method == "GET" and len(ask.parts) == 2 and answer.status == 200:
        return answer.saying(_without_extensions(answer.tree))
    return answer


def _without_extensions(tree: Any) -> Any:
    if isinstance(tree, list):
        return [_without_extensions(each) for each in tree]
    if isinstance(tree, dict):
        return {name: _without_extensions(each) for name, each in tree.items() if name != "extension"}
    return tree


@faults(
    "a search parameter of a profile that is ignored",
    "us_core.6_1_0.condition_encounter_diagnosis.search_patient_category",
    "us_core.6_1_0.heart_rate.search_patient_category",
)
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.without_parameters("category"))


@faults(
    "records that are found under every patient",
    "us_core.6_1_0.goal.search_patient",
    "us_core.6_1_0.allergyintolerance.search_patient",
)
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.without_parameters("patient") if ask.method == "GET" else ask)
