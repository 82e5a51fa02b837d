"""`Patient/$match`: the patients who may be the one described, each with a score and a grade.

https://hl7.org/fhir/R4/patient-operation-match.html

Candidates come from searches that an index answers, each for a few things that a person has; how well a candidate fits is
worked out by `resources.types.patient_match`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_server.bundle_writer import Link, graded_searchset
from fhir_server.call import Answer, Call
from fhir_server.operations.arguments import arguments_of
from fhir_server.services import Services
from fhir_server.store.run_plan import Runner
from resources.change import Stored
from resources.document import parse_document
from resources.problem import Problem, problem
from resources.types.patient_match import Fit, Spelling, contacts_of, fit, identifiers_of, names_of
from resources.validation import errors_of, validate
from search.escaping import escaped
from search.folding import folded
from search.kinds.phonetic import sounds
from search.plan import plan_search
from search.query_text import MAX_COUNT, parse_query

DEFAULT_COUNT = 20
# Of one search; what so many have in common identifies nobody.
MOST_CANDIDATES = 500
# Of each kind of thing that a description may have.
MOST_ASKED = 10
# Each part of it is compared with each of every candidate.
COMPARED = ("identifier", "name", "telecom", "address")
LONGEST_DESCRIPTION = 5_000
MATCH_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
SPELLING = Spelling(folded, sounds)

Pairs = list[tuple[str, str]]


def match(call: Call, services: Services) -> Answer:
    """The matches, the best first, as a searchset Bundle; none is no error."""
    arguments = arguments_of(call)
    given = arguments.one("resource")
    if given["resourceType"] != "Patient":
        text = f"The parameter 'resource' is a {given['resourceType']}; a Patient is expected."
        raise problem(400, "invalid", text)
    if len(str([given.get(member) for member in COMPARED])) > LONGEST_DESCRIPTION:
        text = f"The Patient may be described in {LONGEST_DESCRIPTION:,} characters at most."
        raise problem(400, "too-costly", text, "Patient")
    faults = errors_of(validate(given))
    if faults:
        raise Problem(422, faults)
    count = arguments.one("count")
    if count is not None and count < 1:
        raise problem(400, "value", "The parameter 'count' must be at least 1.")
    matches = _graded(given, services)
    if arguments.one("onlyCertainMatches"):
        certain = [each for each in matches if each[1].grade == "certain"]
        matches = certain if len(certain) == 1 else []  # of several none can be certain
    matches = matches[: min(count or DEFAULT_COUNT, MAX_COUNT)]
    entries = [(stored, _search(found)) for stored, found in matches]
    links = [Link("self", f"{services.base_url}/Patient/$match")]
    return Answer(200, graded_searchset(entries, links, services.base_url), shown=[stored for stored, _ in matches])


def _graded(given: Mapping[str, Any], services: Services) -> list[tuple[Stored, Fit]]:
    found = [
        (stored, fit(given, parse_document(stored.raw, "Patient").tree, SPELLING))
        for stored in _candidates(given, services).values()
        if stored.raw is not None
    ]
    matches = [each for each in found if each[1].grade is not None]
    return sorted(matches, key=lambda each: (-each[1].points, each[0].id))


def _search(found: Fit) -> dict[str, Any]:
    return {
        "extension": [{"url": MATCH_GRADE, "valueCode": found.grade}],
        "mode": "match",
        "score": found.score,
    }


def _candidates(given: Mapping[str, Any], services: Services) -> dict[str, Stored]:
    """Logical id → the patients that any of the searches finds. Raises a 400 `Problem` where nothing can be searched by."""
    context = services.context()
    runner = Runner(services.database, services.limits)
    searches = list(_searches(given))
    if not searches:
        text = "The Patient has nothing to look for: an identifier, a birth date with a name, a whole name, a phone or mail."
        raise problem(400, "required", text, "Patient")
    found: dict[str, Stored] = {}
    for pairs in searches:
        query = parse_query(pairs, "Patient", catalogue=context.catalogue)
        page = runner.page(plan_search("Patient", query, context), MOST_CANDIDATES)
        found |= {each.stored.id: each.stored for each in page.matches}
    return found


def _searches(given: Mapping[str, Any]) -> Iterator[Pairs]:
    for system, value in identifiers_of(given)[:MOST_ASKED]:
        if system is not None:
            yield [("identifier", f"{escaped(system)}|{escaped(value)}")]
    for text in contacts_of(given)[:MOST_ASKED]:
        yield [("telecom", escaped(text))]
    for name in names_of(given)[:MOST_ASKED]:
        families = [text for text in (name.get("family"),) if text and sounds(text)]
        firsts = [text for text in name.get("given", ())[:1] if text and sounds(text)]
        if families and firsts:
            yield [("phonetic", escaped(families[0])), ("phonetic", escaped(firsts[0]))]
        if "birthDate" in given:
            yield from ([("birthdate", given["birthDate"]), ("phonetic", escaped(text))] for text in families + firsts)
