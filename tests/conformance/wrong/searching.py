"""Faults of searches: what is asked for is taken for something else, or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from tests.conformance.wrong.fault import Faults
from tests.conformance.wrong.server import Answer, Ask, Real

faults = Faults()

Pair = tuple[str, str]
UNKNOWN = frozenset({"no-such-parameter", "birthDate", "gendr"})


def _asked(ask: Ask, change: Callable[[Pair], Pair | None]) -> Ask:
    """The request with every parameter of a search by GET changed, or left out."""
    if ask.method != "GET" or not ask.query:
        return ask
    return ask.asking([pair for each in ask.parameters if (pair := change(each)) is not None])


def _valued(pattern: str, by: str, *names: str) -> Callable[[Pair], Pair]:
    """A change of the values of some parameters."""
    return lambda pair: (pair[0], re.sub(pattern, by, pair[1])) if pair[0] in names else pair


def _kept(answer: Answer, keep: Callable[[dict[str, Any]], bool]) -> Answer:
    """The answer with those resources of its Bundle alone that are kept."""
    if not answer.bundle:
        return answer
    entries = [entry for entry in answer.bundle.get("entry", []) if keep(entry["resource"])]
    return answer.saying({**answer.bundle, "entry": entries})


@faults(
    "an unknown parameter that is ignored in silence", "search.unknown_parameter", "search.unknown_parameter_strict"
)
def _(ask: Ask, real: Real) -> Answer:
    unknown = [pair for pair in ask.parameters if pair[0] in UNKNOWN]
    answer = real(_asked(ask, lambda pair: None if pair[0] in UNKNOWN else pair))
    if not unknown or not answer.bundle:
        return answer
    links = [{**each, "url": f"{each['url']}&{urlencode(unknown)}"} for each in answer.bundle["link"]]
    return answer.saying({**answer.bundle, "link": links})


@faults("an unknown modifier that is ignored", "search.unknown_modifier")
def _(ask: Ask, real: Real) -> Answer:
    unknown = (":sounds-like", ":above", "birthdate:exact")
    return real(_asked(ask, lambda pair: (pair[0].partition(":")[0], pair[1]) if pair[0].endswith(unknown) else pair))


@faults(":exact taken for a beginning", "search.string_exact", "search.string_exact_case", "search.chain_exact")
def _(ask: Ask, real: Real) -> Answer:
    return real(_asked(ask, lambda pair: (pair[0].removesuffix(":exact"), pair[1])))


@faults(":not that is ignored", "search.token_not", "search.token_not_several")
def _(ask: Ask, real: Real) -> Answer:
    return real(_asked(ask, lambda pair: None if pair[0].endswith(":not") else pair))


@faults(":not that leaves out what has no value", "search.token_not")
def _(ask: Ask, real: Real) -> Answer:
    is_not = ask.method == "GET" and any(name.endswith(":not") for name, _ in ask.parameters)
    return _kept(real(ask), lambda resource: not is_not or "gender" in resource)


@faults(":missing that is always true", "search.token_not_missing", "search.string_not_missing")
def _(ask: Ask, real: Real) -> Answer:
    return real(_asked(ask, lambda pair: (pair[0], "true") if pair[0].endswith(":missing") else pair))


@faults(
    "a code without a system that is found only where there is none",
    "search.token_identifier",
    "us_core.6_1_0.patient.search_identifier",
)
def _(ask: Ask, real: Real) -> Answer:
    return real(
        _asked(ask, lambda pair: (pair[0], f"|{pair[1]}") if pair[0] == "identifier" and "|" not in pair[1] else pair)
    )


@faults("a system that does not count", "search.token_coding_other_system", "search.token_identifier_system")
def _(ask: Ask, real: Real) -> Answer:
    return real(_asked(ask, _valued(r"^[^|]+\|(?=.)", "", "code", "identifier")))


@faults(
    "the first alone of several values",
    "search.token_code_or",
    "search.date_or",
    "us_core.6_1_0.medicationrequest.several_values",
)
def _(ask: Ask, real: Real) -> Answer:
    return real(_asked(ask, _valued(r",.*", "", "gender", "birthdate", "status", "intent")))


@faults("the last alone of a repeated parameter", "search.token_status_and", "search.date_range")
def _(ask: Ask, real: Real) -> Answer:
    repeated = dict(ask.parameters) if ask.method == "GET" and "_include" not in ask.query else None
    return real(ask.asking(list(repeated.items())) if repeated else ask)


@faults("gt taken for ge", "search.date_gt_same_day", "search.date_gt_year", "search.quantity_gt")
def _(ask: Ask, real: Real) -> Answer:
    return real(_asked(ask, _valued(r"^gt(?=\d)", "ge", "date", "birthdate", "value-quantity")))


@faults(
    "prefixes of dates that are ignored",
    "search.date_ge",
    "search.date_lt",
    "us_core.6_1_0.condition_problems_health_concerns.dates",
)
def _(ask: Ask, real: Real) -> Answer:
    return real(_asked(ask, _valued(r"^[a-z]{2}(?=\d)", "", "date", "birthdate", "onset-date", "recorded-date")))


@faults("time zones that are ignored", "search.date_time_zone", "search.date_time_wrong_zone")
def _(ask: Ask, real: Real) -> Answer:
    def moved(pair: Pair) -> Pair:
        if pair == ("date", "2024-05-01T00:30:00Z"):
            return "date", "2024-04-30T23:30:00Z"
        return pair[0], re.sub(r"(T[\d:]+)[+-]\d\d:\d\d$", r"\1Z", pair[1]) if pair[0] == "date" else pair[1]

    return real(_asked(ask, moved))


@faults("periods without an end that nothing finds", "search.date_period_gt", "search.date_period_far_future")
def _(ask: Ask, real: Real) -> Answer:
    by_date = ask.path == "Encounter" and "date=" in ask.query
    return _kept(real(ask), lambda resource: not by_date or "end" in resource.get("period", {}))


@faults("numbers that must be equal in every digit", "search.number_rounded", "search.quantity_rounded")
def _(ask: Ask, real: Real) -> Answer:
    precise = _asked(ask, _valued(r"^\d+(?=\|)", r"\g<0>.000", "value-quantity"))
    return real(_asked(precise, _valued(r"^0\.\d$", r"\g<0>00", "probability")))


@faults(":below that is exact", "search.uri_below")
def _(ask: Ask, real: Real) -> Answer:
    return real(_asked(ask, lambda pair: (pair[0].removesuffix(":below"), pair[1])))


@faults(
    "chains that are ignored",
    "search.chain_string",
    "search.chain_two",
    "us_core.6_1_0.practitionerrole.chained_practitioner",
)
def _(ask: Ask, real: Real) -> Answer:
    return real(_asked(ask, lambda pair: None if "." in pair[0] else pair))


@faults("_has that is ignored", "search.has_token", "search.has_nested")
def _(ask: Ask, real: Real) -> Answer:
    return real(_asked(ask, lambda pair: None if pair[0].startswith("_has") else pair))


@faults("references that only their ids find", "search.reference_type_id", "us_core.6_1_0.encounter.search_patient")
def _(ask: Ask, real: Real) -> Answer:
    return real(_asked(ask, _valued(r"^Patient/", "Patient/x", "subject", "patient")))


@faults(
    "a posted search whose body is ignored",
    "search.post",
    "us_core.6_1_0.medicationrequest.search_patient_intent_status",
)
def _(ask: Ask, real: Real) -> Answer:
    return real(replace(ask, body=b"")) if ask.path.endswith("_search") else real(ask)


@faults("a compartment that has what others have", "search.compartment")
def _(ask: Ask, real: Real) -> Answer:
    is_compartment = len(ask.parts) == 3 and ask.parts[2][:1].isupper()
    return real(replace(ask, path=ask.parts[2]) if is_compartment else ask)


@faults("wrong values that are ignored", "search.wrong_values")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if answer.status == 400 and "birthdate" in ask.query:
        return real(_asked(ask, lambda pair: None if pair[0] == "birthdate" else pair))
    return answer
