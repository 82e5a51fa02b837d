"""What the Bundle of a search says, and how much of each resource: `_count`, `_total`, `_summary`, `_elements`.

https://hl7.org/fhir/R4/search.html#return
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from conformance.check import Checks, Skip, expect
from conformance.clauses import BUNDLE, SEARCH, SUMMARY
from conformance.rest_context import RestContext
from conformance.search.cases import bundle, expect_found, of_mode
from conformance.search.population import population
from conformance.statement import interaction, search_parameter

checks = Checks("Search: results")
SEARCHES = interaction("search-type", "Patient")
EVERYBODY = {"anna", "bob", "carl", "dora", "eve", "finn"}
SUBSETTED = "SUBSETTED"
ABSOLUTE = ("http://", "https://", "urn:")


def links(tree: dict[str, Any]) -> dict[str, str]:
    """relation → address of the links of a Bundle."""
    return {str(each.get("relation")): str(each.get("url")) for each in tree.get("link", [])}


def _one(context: RestContext, query: str) -> dict[str, Any]:
    """The one resource that a search finds."""
    entries = bundle(context, "Patient", query).get("entry", [])
    expect(len(entries) == 1, f"Patient?{query} finds {len(entries)}, where 1 was expected.")
    resource: dict[str, Any] = entries[0]["resource"]
    return resource


def _part(context: RestContext, query: str, *cut: str) -> dict[str, Any]:
    """A part of anna's resource. Raises a Skip where what should be cut is all there, which a server may do."""
    resource = _one(context, f"_id={{anna}}&{query}")
    if set(cut) <= set(resource):
        raise Skip(f"{query} is answered with the whole, as it may be.")
    if SUBSETTED not in [tag.get("code") for tag in resource.get("meta", {}).get("tag", [])]:
        context.notes.append(f"{query} is answered with a part of a resource that is not tagged SUBSETTED.")
    expect(resource.get("resourceType") == "Patient", f"{query} answers without resourceType.")
    expect(resource.get("id"), f"{query} answers without id.")
    return resource


@checks("search.bundle_is_valid", "A search is answered with a Bundle that keeps the rules for one.", BUNDLE, SEARCHES)
def _(context: RestContext) -> None:
    tree = bundle(context, "Patient", "gender=male")
    entries = tree.get("entry", [])
    for entry in entries:
        expect(entry.get("resource"), "An entry has no resource (bdl-8).")
        expect("request" not in entry and "response" not in entry, "An entry has a request or response (bdl-3, bdl-4).")
        mode = entry.get("search", {}).get("mode")
        expect(mode == "match", f"The mode of a match is {mode!r}.")
        resource = entry["resource"]
        path, full_url = f"/{resource['resourceType']}/{resource['id']}", str(entry.get("fullUrl"))
        expect(full_url.startswith(ABSOLUTE), f"The fullUrl {full_url!r} is no absolute address.")
        expect(full_url.endswith(path), f"The fullUrl {full_url} is not of {path}.")
    expect("entry" not in tree or entries, "The Bundle has an empty list of entries.")
    relations = [link.get("relation") for link in tree.get("link", [])]
    expect(len(relations) == len(set(relations)), f"A relation comes twice among the links: {relations}.")


@checks("search.empty_bundle", "A search that finds nothing is answered 200 with a Bundle.", SEARCH, SEARCHES)
def _(context: RestContext) -> None:
    tree = bundle(context, "Patient", "_id=no-such-patient")
    expect(of_mode(tree, "match", population(context)) == [], "Something was found.")
    expect(tree.get("total") in (None, 0), f"The total is {tree.get('total')}.")
    expect(tree.get("entry") != [], "The Bundle has an empty list of entries.")


@checks(
    "search.self_link",
    "The self link shows every parameter that was used.",
    f"{SEARCH}#conformance",
    search_parameter("Patient", "gender"),
    search_parameter("Patient", "birthdate"),
)
def _(context: RestContext) -> None:
    tree = bundle(context, "Patient", "gender=male&birthdate=ge1970&_sort=-birthdate")
    said = links(tree).get("self", "")
    expect(said.startswith(ABSOLUTE), f"The self link {said!r} is no absolute address.")
    pairs = parse_qsl(urlsplit(said).query)
    for name, value in (("gender", "male"), ("birthdate", "ge1970"), ("_sort", "-birthdate")):
        expect((name, value) in pairs, f"The self link {said} does not have {name}={value}.")
    expect_found(
        [next(iter(population(context).names([f"Patient/{each['id']}"]))) for each in context.api.found(said)],
        {"bob", "carl"},
        "The self link",
    )


@checks("search.count_at_most", "A page has at most as many matches as `_count` says.", f"{SEARCH}#count", SEARCHES)
def _(context: RestContext) -> None:
    for number in (1, 2, 5):
        matches = of_mode(bundle(context, "Patient", f"_count={number}"), "match", population(context))
        expect(len(matches) <= number, f"_count={number} is answered with {len(matches)} matches.")
        expect(matches, f"_count={number} is answered with nothing.")


@checks("search.count_zero", "`_count=0` answers with the number alone.", f"{SEARCH}#count", SEARCHES)
def _(context: RestContext) -> None:
    tree = bundle(context, "Patient", "_count=0")
    expect(not tree.get("entry"), "_count=0 is answered with entries.")
    expect(tree.get("total") == len(EVERYBODY), f"The total is {tree.get('total')}.")


@checks("search.total", "A total is the number of all matches, not of those on the page.", f"{SEARCH}#total", SEARCHES)
def _(context: RestContext) -> None:
    for query in ("_total=accurate&_count=2", "_count=2"):
        total = bundle(context, "Patient", query).get("total")
        expect(total in (None, len(EVERYBODY)), f"The total of {query} is {total}, where {len(EVERYBODY)} match.")
        if total is None and "accurate" in query:
            context.notes.append("_total=accurate is answered without a total.")


@checks("search.total_none", "`_total=none` is taken.", f"{SEARCH}#total", SEARCHES)
def _(context: RestContext) -> None:
    tree = bundle(context, "Patient", "_total=none")
    expect_found(of_mode(tree, "match", population(context)), EVERYBODY, "_total=none")


@checks("search.summary_count", "`_summary=count` answers with the number alone.", SUMMARY, SEARCHES)
def _(context: RestContext) -> None:
    tree = bundle(context, "Patient", "gender=male&_summary=count")
    expect(tree.get("total") == 2, f"The total is {tree.get('total')}, where 2 match.")
    expect(not tree.get("entry"), "_summary=count is answered with entries.")


@checks("search.summary_true", "`_summary=true` answers with what a summary has.", SUMMARY, SEARCHES)
def _(context: RestContext) -> None:
    resource = _part(context, "_summary=true", "text", "communication")
    expect("name" in resource and "gender" in resource, "The summary lacks name or gender.")
    expect("text" not in resource and "communication" not in resource, "The summary has text or communication.")


@checks("search.summary_text", "`_summary=text` answers with the narrative and what is mandatory.", SUMMARY, SEARCHES)
def _(context: RestContext) -> None:
    resource = _part(context, "_summary=text", "name", "communication", "address")
    expect("text" in resource, "There is no narrative.")
    expect("name" not in resource, "The answer has a name.")


@checks("search.summary_data", "`_summary=data` leaves out the narrative alone.", SUMMARY, SEARCHES)
def _(context: RestContext) -> None:
    resource = _part(context, "_summary=data", "text", "name")
    expect("text" not in resource, "The answer has a narrative.")
    expect({"name", "communication", "address"} <= set(resource), "The answer lacks elements besides the narrative.")


@checks("search.summary_false", "`_summary=false` answers with the whole.", SUMMARY, SEARCHES)
def _(context: RestContext) -> None:
    whole = {**_one(context, "_id={anna}&_summary=false")}
    expect(whole == population(context).made["anna"], "The resource differs from the one that was made.")


@checks(
    "search.elements", "`_elements` answers with these elements and what is mandatory.", f"{SEARCH}#elements", SEARCHES
)
def _(context: RestContext) -> None:
    resource = _part(context, "_elements=name,birthDate", "address", "communication")
    expect({"name", "birthDate"} <= set(resource), "An element that was asked for is missing.")
    expect("gender" not in resource and "address" not in resource, "Elements come that were not asked for.")


@checks(
    "search.elements_mandatory",
    "`_elements` keeps what is mandatory.",
    f"{SEARCH}#elements",
    interaction("search-type", "Observation"),
)
def _(context: RestContext) -> None:
    entries = bundle(context, "Observation", "_id={o_kg}&_elements=valueQuantity,value").get("entry", [])
    resource = entries[0]["resource"]
    expect(resource.get("resourceType") == "Observation", "The answer has no resourceType.")
    if not {"status", "code"} <= set(resource):
        context.notes.append(f"_elements is answered with {sorted(resource)}, without status or code.")


@checks("search.whole", "A match is the resource as it was written.", SEARCH, SEARCHES)
def _(context: RestContext) -> None:
    for entry in bundle(context, "Patient", "").get("entry", []):
        key = next(iter(population(context).names([f"Patient/{entry['resource']['id']}"])))
        expect(entry["resource"] == population(context).made[key], f"{key} differs from what was made.")
