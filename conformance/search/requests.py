"""How searches are asked: by GET and POST, in compartments, over types, and with what a server does not know.

https://hl7.org/fhir/R4/http.html#search
"""

from __future__ import annotations

import json
from typing import Any

import httpx

from conformance.answers import bundle_of, expect_status, refused
from conformance.api import keys_of, resources_of, said
from conformance.check import Checks, Skip, expect
from conformance.clauses import HTTP, SEARCH
from conformance.conditions import condition_of
from conformance.rest_context import RestContext
from conformance.samples import identifier_of, sample
from conformance.search.cases import REFUSALS, STRICT, address, ask, expect_found, found
from conformance.search.population import population
from conformance.search.results import links
from conformance.statement import interaction, search_parameter

checks = Checks("Search: requests")
SEARCHES = interaction("search-type", "Patient")
GENDER = search_parameter("Patient", "gender")
COMPARTMENT = f"{HTTP}#vsearch"


def _posted(context: RestContext, body: dict[str, str], query: str = "") -> list[str]:
    known = population(context)
    limit = known.limit(context, "Patient")
    answer = context.api.request("POST", f"Patient/_search{query}", data={**body, limit[0]: limit[1]}, headers=STRICT)
    found_ = resources_of(context.api, expect_status(answer, 200))
    return [next(iter(known.names(keys_of([each])))) for each in found_]


@checks("search.post", "POST to `_search` finds what GET finds.", f"{HTTP}#search", GENDER)
def _(context: RestContext) -> None:
    expect_found(_posted(context, {"gender": "male"}), {"bob", "carl"}, "POST of gender=male")
    expect_found(_posted(context, {"gender": "female", "birthdate": "1980"}), {"dora"}, "POST of two parameters")


@checks("search.post_encoded", "POST takes values with characters that need encoding.", f"{HTTP}#search", GENDER)
def _(context: RestContext) -> None:
    expect_found(_posted(context, {"family:exact": "Müller"}), {"anna"}, "POST of family:exact=Müller")
    expect_found(_posted(context, {"family": "Smith\\, Jones"}), {"dora"}, "POST of family=Smith\\, Jones")


@checks("search.post_order", "POST takes `_sort` and `_count`.", f"{HTTP}#search", GENDER)
def _(context: RestContext) -> None:
    finds = _posted(context, {"gender": "male", "_sort": "-birthdate", "_count": "1"})
    expect(finds == ["carl", "bob"], f"POST with _sort=-birthdate and _count=1 finds {finds}, over its pages.")


@checks(
    "search.post_and_query", "Parameters in the address of a POST count as those of its body.", f"{HTTP}#search", GENDER
)
def _(context: RestContext) -> None:
    expect_found(_posted(context, {"active": "true"}, "?gender=male"), {"bob"}, "POST to _search?gender=male")


@checks("search.get_search", "GET of `_search` is no read of a resource with that id.", f"{HTTP}#search", SEARCHES)
def _(context: RestContext) -> None:
    answer = context.api.get(address(context, "Patient/_search", "gender=male", limited=False))
    expect(answer.status_code < 500, f"{said(answer)}.")
    if answer.status_code == 200:
        bundle_of(answer, "searchset")


def _expect_traced(context: RestContext, name: str, answer: httpx.Response) -> bool:
    """Whether a search with an unknown parameter was refused. Raises a Failure where it was ignored without a trace."""
    if answer.status_code in REFUSALS:
        if name not in json.dumps(refused(answer, *REFUSALS)):
            context.notes.append(f"The refusal does not name {name}.")
        return True
    self_link = links(bundle_of(expect_status(answer, 200), "searchset")).get("self", "")
    expect(f"{name}=" not in self_link, f"{name} is ignored, though the self link has it: {self_link}.")
    expect("gender=" in self_link, f"The self link {self_link!r} does not show what was understood.")
    return False


@checks(
    "search.unknown_parameter",
    "An unknown parameter is refused, or left out of the self link; it is never ignored in silence.",
    f"{SEARCH}#errors",
    SEARCHES,
)
def _(context: RestContext) -> None:
    for name in ("no-such-parameter", "birthDate", "gendr"):
        answer = context.api.get(address(context, "Patient", f"{name}=1970-01-31&gender=male"))
        _expect_traced(context, name, answer)


@checks(
    "search.unknown_parameter_strict",
    "With handling=strict an unknown parameter is refused, or at least left out of the self link.",
    f"{SEARCH}#errors",
    SEARCHES,
)
def _(context: RestContext) -> None:
    path = address(context, "Patient", "no-such-parameter=x&gender=male")
    if not _expect_traced(context, "no-such-parameter", context.api.get(path, headers=STRICT)):
        context.notes.append("handling=strict is not heeded.")


@checks("search.unknown_modifier", "An unknown modifier is refused.", f"{SEARCH}#modifiers", GENDER)
def _(context: RestContext) -> None:
    for query in ("gender:sounds-like=male", "birthdate:exact=1970-01-31", "family:above=Muller"):
        refused(context.api.get(address(context, "Patient", query)), *REFUSALS)


@checks(
    "search.wrong_values", "A value that is none of its kind is refused, and not ignored.", f"{SEARCH}#errors", SEARCHES
)
def _(context: RestContext) -> None:
    asked = [
        ("Patient", "birthdate=1970-13-01", "birthdate"),
        ("Patient", "birthdate=31.1.1970", "birthdate"),
        ("RiskAssessment", "probability=half", "probability"),
        ("Observation", "value-quantity=heavy", "value-quantity"),
        ("Patient", "_lastUpdated=now", "_lastUpdated"),
    ]
    for type_name, query, parameter in asked:
        if parameter in context.statement.search_parameters(type_name):
            answer = context.api.get(address(context, type_name, query), headers=STRICT)
            if answer.status_code in REFUSALS:
                refused(answer, *REFUSALS)
                continue
            expect(not resources_of(context.api, answer), f"{query}, which means nothing, finds something.")
            context.notes.append(f"{query} is not refused; it finds nothing.")


def _compartment(context: RestContext, path: str, query: str = "") -> list[dict[str, Any]]:
    known = population(context)
    limit = "&".join([f"_tag={known.mark}", *([query] if query else [])])
    answer = context.api.get(f"{path}?{limit}")
    if answer.status_code in (404, 405, *REFUSALS):
        raise Skip(f"{said(answer)}: compartments are not searched here.")
    return resources_of(context.api, expect_status(answer, 200))


@checks(
    "search.compartment",
    "`Patient/[id]/Observation` finds what belongs to the patient, and nothing of others.",
    COMPARTMENT,
    interaction("search-type", "Observation"),
)
def _(context: RestContext) -> None:
    known = population(context)
    known.need("o_kg", "o_bp")
    anna = known.path("anna")
    finds = _compartment(context, f"{anna}/Observation")
    expect_found([*known.names(keys_of(finds))], {"o_kg", "o_bp"}, "Patient/[anna]/Observation")
    finds = _compartment(context, f"{anna}/Observation", "code=29463-7")
    expect_found([*known.names(keys_of(finds))], {"o_kg"}, "Patient/[anna]/Observation?code=29463-7")
    finds = _compartment(context, f"{known.path('finn')}/Observation")
    expect_found([*known.names(keys_of(finds))], set(), "Patient/[finn]/Observation")


@checks(
    "search.compartment_all", "`Patient/[id]/*` finds everything that belongs to the patient.", COMPARTMENT, SEARCHES
)
def _(context: RestContext) -> None:
    known = population(context)
    finds = known.names(keys_of(_compartment(context, f"{known.path('anna')}/*"))) - {"anna", "listed"}
    wanted = {"e_done", "e_past", "o_kg", "o_bp", "c_active", "m_code", "r_half"}
    expect_found([*finds], wanted & set(known.made), "Patient/[anna]/*")


@checks(
    "search.compartment_encounter",
    "`Encounter/[id]/Observation` finds what was seen in a visit.",
    COMPARTMENT,
    SEARCHES,
)
def _(context: RestContext) -> None:
    known = population(context)
    known.need("o_kg")
    finds = _compartment(context, f"{known.path('e_done')}/Observation")
    expect_found([*known.names(keys_of(finds))], {"o_kg"}, "Encounter/[e_done]/Observation")


@checks("search.system", "A search over types finds resources of each.", f"{HTTP}#search", interaction("search-system"))
def _(context: RestContext) -> None:
    known = population(context)
    answer = context.api.get(f"?_type=Patient,Encounter&_tag={known.mark}&_count=100")
    finds = [*known.names(keys_of(resources_of(context.api, expect_status(answer, 200))))]
    expect_found(finds, {*known.of_type("Patient"), *known.of_type("Encounter")}, "?_type=Patient,Encounter")


@checks("search.system_posted", "A search over types may be posted.", f"{HTTP}#search", interaction("search-system"))
def _(context: RestContext) -> None:
    known = population(context)
    answer = context.api.request("POST", "_search", data={"_type": "Condition", "_tag": known.mark})
    finds = [*known.names(keys_of(resources_of(context.api, expect_status(answer, 200))))]
    expect_found(finds, set(known.of_type("Condition")), "POST of _type=Condition")


@checks(
    "search.contained",
    "`_contained=true` finds what contains a match.",
    f"{SEARCH}#contained",
    search_parameter("Medication", "code"),
)
def _(context: RestContext) -> None:
    code = context.records.text("med")
    medication = {"resourceType": "Medication", "id": "m", "code": {"coding": [{"code": code}]}}
    made = context.records.create(
        sample(
            context,
            "MedicationRequest",
            contained=[medication],
            medicationCodeableConcept=None,
            medicationReference={"reference": "#m"},
        )
    )
    condition_of(context, made)
    expect(not context.api.found(f"Medication?code={code}"), "A contained resource is found without _contained.")
    answer = context.api.get(f"Medication?code={code}&_contained=true", headers=STRICT)
    if answer.status_code in REFUSALS:
        raise Skip("The server refuses _contained, as it may.")
    finds = keys_of(resources_of(context.api, expect_status(answer, 200)))
    expect(finds == {f"MedicationRequest/{made['id']}"}, f"_contained=true finds {sorted(finds)}.")


@checks("search.current_version", "A search finds what is so now, and nothing that was.", SEARCH, SEARCHES)
def _(context: RestContext) -> None:
    made = context.records.create(sample(context))
    condition = identifier_of(made)
    changed = {**made, "identifier": [{**made["identifier"][0], "value": context.records.text()}]}
    expect_status(context.records.put(changed), 200)
    condition_of(context, changed)
    expect(not context.api.found(f"Patient?{condition}"), "A search finds a value that was changed.")
    expect_status(context.api.request("DELETE", f"Patient/{made['id']}"), 200, 202, 204)
    condition_of(context, changed, 0)


@checks("search.format_of_answers", "A search answers in the format that is asked for.", f"{HTTP}#mime-type", GENDER)
def _(context: RestContext) -> None:
    answer = ask(context, "Patient", "gender=male")
    expect(answer.headers.get("Content-Type", "").startswith("application/fhir+json"), "The answer is not FHIR JSON.")
    expect_found(found(context, "Patient", "gender=male&_format=json"), {"bob", "carl"}, "gender=male&_format=json")
