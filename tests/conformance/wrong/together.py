"""Faults of concurrency and of Bundles."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from tests.conformance.wrong.fault import Faults
from tests.conformance.wrong.server import FHIR_JSON, Answer, Ask, Real

faults = Faults()

ORDER = ("DELETE", "POST", "PUT", "PATCH", "GET")
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]}


def _bundle(ask: Ask) -> Any:
    """The Bundle that is posted, or None."""
    tree = ask.tree
    return tree if ask.method == "POST" and not ask.path and isinstance(tree, dict) else None


def _failed(answer: Answer) -> bool:
    entries = (answer.bundle or {}).get("entry", [])
    return any(entry["response"]["status"][0] in "45" for entry in entries)


def _as_batch(ask: Ask, real: Real) -> Answer:
    answer = real(ask.sending({**ask.tree, "type": "batch"}))
    return answer.saying({**answer.bundle, "type": "transaction-response"}) if answer.bundle else answer


@faults(
    "If-Match that is ignored",
    "concurrency.if_match_stale_patient",
    "concurrency.if_match_one_wins",
    "concurrency.if_match_on_deleted",
    "patch.if_match",
)
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.without("if-match"))


@faults("a stale version refused with 400", "concurrency.if_match_stale_encounter", "concurrency.if_match_never_was")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    return answer.of_status(400) if answer.status == 412 else answer


@faults("conditional creates that look first and write then", "concurrency.conditional_creates_leave_one")
def _(ask: Ask, real: Real) -> Answer:
    condition = ask.headers.get("if-none-exist")
    if not condition:
        return real(ask)
    found = real.get(f"{ask.path}?{condition}").bundle
    time.sleep(0.05)
    return Answer(200) if found.get("entry") else real(ask.without("if-none-exist"))


@faults("versions counted before the write", "concurrency.updates_lose_no_version")
def _(ask: Ask, real: Real) -> Answer:
    if ask.method != "PUT":
        return real(ask)
    before = real.get(ask.path).headers["etag"]
    time.sleep(0.05)
    return real(ask).having(etag=f'W/"{int(before.split(chr(34))[1]) + 1}"')


@faults("the last of several updates at once in all their versions", "concurrency.history_after_updates")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if ask.path.endswith("_history") and answer.bundle:
        entries = answer.bundle["entry"]
        return answer.saying({**answer.bundle, "entry": [entries[0], *entries[:-1]]})
    return answer


@faults(
    "a transaction that is silently a batch",
    "bundles.nothing_on_invalid_resource",
    "bundles.nothing_on_failed_precondition",
    "bundles.nothing_on_several_matches",
)
def _(ask: Ask, real: Real) -> Answer:
    return _as_batch(ask, real) if _bundle(ask) else real(ask)


@faults("a refused transaction of which a part is stored", "bundles.nothing_on_invalid_resource")
def _(ask: Ask, real: Real) -> Answer:
    if not _bundle(ask):
        return real(ask)
    answer = _as_batch(ask, real)
    return Answer(400, {"content-type": FHIR_JSON}).saying(OUTCOME) if _failed(answer) else answer


@faults("a batch that fails as a whole", "bundles.batch_each_on_its_own")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    return answer.of_status(400).saying(OUTCOME) if _bundle(ask) and _failed(answer) else answer


@faults("answers in the order of processing", "bundles.answers_in_order")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if not _bundle(ask) or not answer.bundle:
        return answer
    pairs = zip(ask.tree.get("entry", []), answer.bundle.get("entry", []), strict=True)
    done = sorted(pairs, key=lambda pair: ORDER.index(pair[0]["request"]["method"]))
    return answer.saying({**answer.bundle, "entry": [entry for _, entry in done]})


@faults(
    "preconditions of entries that are ignored",
    "bundles.batch_if_match",
    "bundles.nothing_on_failed_precondition",
    "bundles.batch_if_none_exist",
)
def _(ask: Ask, real: Real) -> Answer:
    bundle = _bundle(ask)
    if bundle:
        for entry in bundle.get("entry", []):
            for name in ("ifMatch", "ifNoneExist"):
                entry["request"].pop(name, None)
        return real(ask.sending(bundle))
    return real(ask)


@faults("references in extensions that are not replaced", "bundles.references_everywhere")
def _(ask: Ask, real: Real) -> Answer:
    bundle = _bundle(ask)
    if bundle:
        answer = real(ask)
        left = [each for entry in bundle["entry"] for each in entry["resource"].get("extension", [])]
        real.memory["left"] = left or real.memory.get("left")
        return answer
    answer = real(ask)
    if ask.parts[:1] == ["Observation"] and answer.status == 200 and "extension" in answer.tree:
        return answer.saying({**answer.tree, "extension": real.memory["left"]})
    return answer


@faults("links between entries that are not replaced", "bundles.urn_uuid_is_replaced", "bundles.circular_references")
def _(ask: Ask, real: Real) -> Answer:
    return _as_batch(ask, real) if _bundle(ask) else real(ask)


@faults("any Bundle that is taken for a batch", "bundles.wrong_bundle_type")
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.sending({**ask.tree, "type": "batch"})) if _bundle(ask) else real(ask)


@faults("the last of two changes of a resource", "bundles.same_resource_twice")
def _(ask: Ask, real: Real) -> Answer:
    bundle = _bundle(ask)
    if bundle:
        last = {entry["request"]["method"][:1] + entry["request"]["url"]: entry for entry in bundle["entry"]}
        return real(ask.sending({**bundle, "entry": list(last.values())}))
    return real(ask)


@faults("an answer to part of the entries", "bundles.transaction_of_many")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _bundle(ask) and answer.bundle:
        return answer.saying({**answer.bundle, "entry": answer.bundle.get("entry", [])[:100]})
    return answer


@faults("reads before the writes of their transaction", "bundles.reads_come_last")
def _(ask: Ask, real: Real) -> Answer:
    bundle = _bundle(ask)
    if not bundle:
        return real(ask)
    before = {
        number: real.get(entry["request"]["url"]).tree
        for number, entry in enumerate(bundle["entry"])
        if entry["request"]["method"] == "GET"
    }
    answer = real(ask)
    entries = [
        {**entry, "resource": before[number]} if number in before else entry
        for number, entry in enumerate(answer.bundle["entry"])
    ]
    return replace(answer).saying({**answer.bundle, "entry": entries})
