"""Faults of what a search shows: its Bundle, what comes along, the order, and the pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.conformance.wrong.fault import Faults
from tests.conformance.wrong.server import BASE, Answer, Ask, Real

faults = Faults()


def _without_links(answer: Answer, *relations: str) -> Answer:
    links = [each for each in answer.bundle.get("link", []) if each["relation"] not in relations]
    return answer.saying({**answer.bundle, "link": links})


def _entries(answer: Answer) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = answer.bundle.get("entry", [])
    return entries


def _is_search(ask: Ask, answer: Answer) -> bool:
    return bool(answer.bundle) and answer.bundle["type"] == "searchset" and "$" not in ask.path


def _is_next(ask: Ask) -> bool:
    """Whether a page after the first is asked for."""
    return any(name.startswith("_cursor") or name == "_page" for name, _ in ask.parameters)


@faults("the order reversed", "search.sort_date", "search.sort_date_down", "search.sort_updated")
def _(ask: Ask, real: Real) -> Answer:
    def turned(value: str) -> str:
        return ",".join(key[1:] if key.startswith("-") else f"-{key}" for key in value.split(","))

    return real(ask.asking([(name, turned(value) if name == "_sort" else value) for name, value in ask.parameters]))


@faults("a second key that is not sorted by", "search.sort_two", "search.sort_two_down")
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.asking([(n, v.partition(",")[0] if n == "_sort" else v) for n, v in ask.parameters]))


@faults("a sorted search without what lacks the value", "search.sort_missing", "paging.sorted")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if "_sort" in ask.query and _is_search(ask, answer):
        entries = [entry for entry in _entries(answer) if "birthDate" in entry["resource"]]
        return answer.saying({**answer.bundle, "entry": entries})
    return answer


@faults("the total of the page", "search.total", "paging.total_on_each")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is_search(ask, answer) and _entries(answer):
        return answer.saying({**answer.bundle, "total": len(_entries(answer))})
    return answer


@faults("_count that is ignored", "search.count_at_most", "paging.count_on_each", "paging.each_once")
def _(ask: Ask, real: Real) -> Answer:
    return real(ask if _is_next(ask) else ask.without_parameters("_count"))


@faults("includes without a mode", "search.include", "search.revinclude", "paging.includes_do_not_count")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is_search(ask, answer):
        entries = [e if e.get("search", {}).get("mode") == "match" else {**e, "search": {}} for e in _entries(answer)]
        return answer.saying({**answer.bundle, "entry": entries})
    return answer


@faults("includes that pass for matches", "search.include", "search.include_iterate")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is_search(ask, answer):
        entries = [{**entry, "search": {"mode": "match"}} for entry in _entries(answer)]
        return answer.saying({**answer.bundle, "entry": entries})
    return answer


@faults(":iterate that is ignored", "search.include_iterate", "search.revinclude_iterate")
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.asking([pair for pair in ask.parameters if not pair[0].endswith(":iterate")]))


@faults(
    "_revinclude that is ignored",
    "search.revinclude",
    "paging.reverse_includes",
    "us_core.6_1_0.patient.revinclude_provenance",
)
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.without_parameters("_revinclude"))


@faults("parts of resources without their type", "search.elements_mandatory", "search.elements")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if "_elements" in ask.query and _is_search(ask, answer):
        bundle = answer.bundle
        for entry in bundle.get("entry", []):
            entry["resource"].pop("resourceType", None)
        return answer.saying(bundle)
    return answer


@faults("a self link that lacks a parameter", "search.self_link")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is_search(ask, answer):
        bundle = answer.bundle
        for link in bundle.get("link", []):
            link["url"] = link["url"].replace("birthdate=ge1970&", "")
        return answer.saying(bundle)
    return answer


@faults("entries whose fullUrl is relative", "search.bundle_is_valid")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is_search(ask, answer):
        entries = [{**entry, "fullUrl": entry["fullUrl"].removeprefix(f"{BASE}/")} for entry in _entries(answer)]
        return answer.saying({**answer.bundle, "entry": entries})
    return answer


@faults("an empty list of entries", "search.empty_bundle")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    return answer.saying({"entry": [], **answer.bundle}) if _is_search(ask, answer) else answer


@faults("a page that begins with the last of the one before", "paging.each_once", "paging.sorted", "paging.posted")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if not _is_search(ask, answer) or not _entries(answer):
        return answer
    last, real.memory["last"] = real.memory.get("last"), _entries(answer)[-1]
    return answer.saying({**answer.bundle, "entry": [last, *_entries(answer)]}) if _is_next(ask) else answer


@faults("a last page that cannot be reached", "paging.each_once", "paging.one_by_one", "paging.system")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    return _without_links(answer, "next") if _is_search(ask, answer) and _is_next(ask) else answer


@faults("a next link that holds once", "paging.next_again", "paging.self_of_each")
def _(ask: Ask, real: Real) -> Answer:
    if _is_next(ask):
        used = real.memory.setdefault("used", set())
        if ask.query in used:
            return Answer(410)
        used.add(ask.query)
    return real(ask)


@faults("pages by position", "paging.deleted_meanwhile", "paging.added_meanwhile")
def _(ask: Ask, real: Real) -> Answer:
    asked = dict(ask.parameters)
    if ask.method != "GET" or ask.path != "Patient" or "_count" not in asked:
        return real(ask)
    count, start = int(asked["_count"]), int(asked.get("_offset", 0))
    answer = real(replace(ask.without_parameters("_offset", "_count")))
    entries, links = _entries(answer), [{"relation": "self", "url": f"{BASE}/{ask.path}?{ask.query}"}]
    if start + count < len(entries):
        following = ask.asking([*ask.without_parameters("_offset").parameters, ("_offset", str(start + count))])
        links.append({"relation": "next", "url": f"{BASE}/{ask.path}?{following.query}"})
    return answer.saying({**answer.bundle, "link": links, "entry": entries[start : start + count]})
