"""`$everything` and `$match`. https://hl7.org/fhir/R4/patient-operation-everything.html"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from conformance.answers import bundle_of, expect_status, refused
from conformance.api import keys_of
from conformance.check import Checks, expect
from conformance.clauses import R4
from conformance.operations.calling import answered, call, parameter
from conformance.paging.crowd import walk
from conformance.rest_context import RestContext
from conformance.samples import sample
from conformance.search.population import population
from conformance.statement import operation

checks = Checks("Operations: everything, match")
EVERYTHING = f"{R4}/patient-operation-everything.html"
MATCH = f"{R4}/patient-operation-match.html"
OF_PATIENT, OF_ENCOUNTER = operation("everything", "Patient"), operation("everything", "Encounter")
MATCHES = operation("match", "Patient")
RECORD = {"anna", "e_done", "e_past", "o_kg", "o_bp", "c_active", "m_code", "r_half"}
OF_OTHERS = {"bob", "carl", "dora", "e_open", "e_none", "o_70", "o_lb", "o_mmol", "o_text", "c_over", "m_ref", "r_more"}
GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
GRADES = ("certain", "probable", "possible", "certainly-not")


def _names(context: RestContext, pages: list[dict[str, Any]]) -> list[str]:
    known = population(context)
    resources = [entry["resource"] for one in pages for entry in one.get("entry", []) if "resource" in entry]
    return [next(iter(known.names(keys_of([each])))) for each in resources]


def _record(context: RestContext) -> set[str]:
    """The keys of what is in anna's record."""
    return RECORD & set(population(context).made)


def _everything(context: RestContext, query: str = "", *needed: str) -> list[str]:
    """The keys of what anna's `$everything` has, over all pages. needed: what the population must have for this."""
    population(context).need(*needed)
    path = f"{population(context).path('anna')}/$everything"
    return _names(context, walk(context, f"{path}?{query}" if query else path))


@checks("operations.everything_of_patient", "`$everything` has the whole record of a patient.", EVERYTHING, OF_PATIENT)
def _(context: RestContext) -> None:
    missing = sorted(_record(context) - set(_everything(context)))
    expect(not missing, f"$everything lacks {', '.join(missing)}.")


@checks(
    "operations.everything_nothing_of_others", "`$everything` has nothing of other patients.", EVERYTHING, OF_PATIENT
)
def _(context: RestContext) -> None:
    others = sorted(OF_OTHERS & set(_everything(context)))
    expect(not others, f"$everything of a patient has {', '.join(others)} of others.")


@checks("operations.everything_refers_to", "`$everything` brings what the record refers to.", EVERYTHING, OF_PATIENT)
def _(context: RestContext) -> None:
    missing = sorted({"gp", "ward"} - set(_everything(context, "", "gp", "ward")))
    if missing:
        context.notes.append(f"$everything does not bring {', '.join(missing)}, which the record refers to.")


@checks("operations.everything_type", "`_type` limits `$everything` to types.", EVERYTHING, OF_PATIENT)
def _(context: RestContext) -> None:
    finds = set(_everything(context, "_type=Observation", "o_kg", "o_bp"))
    expect(finds >= {"o_kg", "o_bp"}, f"$everything?_type=Observation has only {sorted(finds)}.")
    expect(not finds & {"e_done", "c_active", "m_code"}, f"$everything?_type=Observation has {sorted(finds)}.")


@checks("operations.everything_since", "`_since` limits `$everything` to what changed.", EVERYTHING, OF_PATIENT)
def _(context: RestContext) -> None:
    since = set(_everything(context, "_since=2000-01-01T00:00:00Z"))
    expect(since >= _record(context), "_since=2000 leaves something out.")
    later = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    finds = set(_everything(context, f"_since={later}")) - {"anna"}
    expect(not finds & RECORD, f"What changed since tomorrow is {sorted(finds)}.")


@checks(
    "operations.everything_dates", "`start` and `end` limit `$everything` to a time of care.", EVERYTHING, OF_PATIENT
)
def _(context: RestContext) -> None:
    finds = set(_everything(context, "start=2024-04-15&end=2024-05-31", "o_kg", "o_bp"))
    expect({"o_kg", "o_bp"} <= finds, f"$everything lacks what was seen in that time, of {sorted(finds)}.")
    expect("e_done" not in finds, "$everything has a visit of another time.")


@checks("operations.everything_pages", "The pages of `$everything` have everything once.", EVERYTHING, OF_PATIENT)
def _(context: RestContext) -> None:
    finds = _everything(context, "_count=3")
    of_record = [key for key in finds if key in RECORD]
    missing = sorted(_record(context) - set(of_record))
    expect(not missing, f"The pages lack {', '.join(missing)}.")
    expect(len(of_record) == len(set(of_record)), "Something comes on more than one page.")


@checks("operations.everything_posted", "`$everything` may be posted.", EVERYTHING, OF_PATIENT)
def _(context: RestContext) -> None:
    population(context).need("c_active")
    path = f"{population(context).path('anna')}/$everything"
    answer = call(context, path, parameter("_type", "valueCode", "Condition"))
    finds = set(_names(context, [bundle_of(expect_status(answer, 200), "searchset")]))
    expect("c_active" in finds and "e_done" not in finds, f"$everything, posted for Conditions, has {sorted(finds)}.")


@checks(
    "operations.everything_of_unknown", "`$everything` of an unknown patient is answered 404.", EVERYTHING, OF_PATIENT
)
def _(context: RestContext) -> None:
    refused(context.api.get(f"Patient/{context.records.text('none-')}/$everything"), 404, 410)


@checks(
    "operations.everything_of_encounter",
    "`$everything` of an Encounter has what belongs to it, and not what belongs to others.",
    f"{R4}/encounter-operation-everything.html",
    OF_ENCOUNTER,
)
def _(context: RestContext) -> None:
    population(context).need("o_kg")
    pages = walk(context, f"{population(context).path('e_done')}/$everything")
    finds = set(_names(context, pages))
    expect({"e_done", "o_kg"} <= finds, f"$everything of an Encounter has only {sorted(finds)}.")
    expect(not finds & {"o_bp", "e_past", "e_open"}, f"$everything of an Encounter has {sorted(finds)}.")


def _person(context: RestContext) -> dict[str, Any]:
    """A Patient whom nobody else is like, made once."""

    def make(it: RestContext) -> dict[str, Any]:
        name = [{"family": it.records.text("match"), "given": ["Zenobia"]}]
        return it.records.create(sample(it, name=name, birthDate="1931-07-08"))

    return context.shared("operations.person", make)


def _match(context: RestContext, resource: dict[str, Any], *others: dict[str, Any]) -> list[dict[str, Any]]:
    asked = {name: value for name, value in resource.items() if name not in ("id", "meta")}
    answer = call(context, "Patient/$match", parameter("resource", "resource", asked), *others)
    entries: list[dict[str, Any]] = answered(answer, "Bundle").get("entry", [])
    return [each for each in entries if each.get("resource", {}).get("resourceType") == "Patient"]


@checks("operations.match", "`$match` finds the patient who was described, first.", MATCH, MATCHES)
def _(context: RestContext) -> None:
    person = _person(context)
    found = _match(context, person)
    expect(found and found[0]["resource"]["id"] == person["id"], f"The first of {len(found)} matches is another.")


@checks("operations.match_scores", "Each match has a score and a grade, the best first.", MATCH, MATCHES)
def _(context: RestContext) -> None:
    found = _match(context, _person(context))
    scores = [each.get("search", {}).get("score") for each in found]
    expect(all(isinstance(one, int | float) and 0 <= one <= 1 for one in scores), f"The scores are {scores}.")
    expect(scores == sorted(scores, reverse=True), f"The scores are {scores}, in this order.")
    for each in found:
        grades = [one.get("valueCode") for one in each["search"].get("extension", []) if one.get("url") == GRADE]
        expect(len(grades) == 1 and grades[0] in GRADES, f"The grades of a match are {grades}.")


@checks("operations.match_nobody", "`$match` of somebody unknown finds nobody for certain.", MATCH, MATCHES)
def _(context: RestContext) -> None:
    nobody = {"resourceType": "Patient", "name": [{"family": context.records.text("nobody"), "given": ["Qwx"]}]}
    found = _match(context, nobody, parameter("onlyCertainMatches", "valueBoolean", True))
    expect(not found, f"{len(found)} are found for certain.")


@checks("operations.match_count", "`count` limits the matches.", MATCH, MATCHES)
def _(context: RestContext) -> None:
    found = _match(context, _person(context), parameter("count", "valueInteger", 1))
    expect(len(found) == 1, f"{len(found)} are found, where count is 1.")
