"""Walking through pages: each match once, in order, whatever else is asked for or happens meanwhile."""

from __future__ import annotations

from conformance.answers import expect_status
from conformance.check import Checks, expect
from conformance.claims import DELETES, UPDATES
from conformance.clauses import HTTP, SEARCH
from conformance.paging.crowd import all_ids, crowd, expect_each_once, ids_of, member, new_crowd, page, walk
from conformance.rest_context import RestContext
from conformance.samples import sample
from conformance.search.results import links
from conformance.statement import include, interaction, reverse_include, search_parameter

checks = Checks("Paging: walks")
PAGING = f"{HTTP}#paging"
FAMILY = search_parameter("Patient", "family")
BIRTHDATE = search_parameter("Patient", "birthdate")


@checks("paging.each_once", "A walk over the pages has every match once.", PAGING, FAMILY)
def _(context: RestContext) -> None:
    people = crowd(context)
    pages = walk(context, f"Patient?family={people.family}&_count=3")
    expect_each_once(pages, people.ids, "a search with _count=3")
    expect(len(pages) >= 4, f"{len(people.ids)} matches with _count=3 come on {len(pages)} pages.")


@checks("paging.one_by_one", "A walk over pages of one has every match once.", PAGING, FAMILY)
def _(context: RestContext) -> None:
    people = crowd(context)
    pages = walk(context, f"Patient?family={people.family}&_count=1")
    expect_each_once(pages, people.ids, "a search with _count=1")


@checks("paging.all_on_one", "Where all matches are on the first page, no further one has any.", PAGING, FAMILY)
def _(context: RestContext) -> None:
    people = crowd(context)
    pages = walk(context, f"Patient?family={people.family}&_count={len(people.ids)}")
    expect_each_once(pages, people.ids, "a search with _count of all")
    if len(pages) > 1:
        context.notes.append("There is a next link to a page without a match.")


@checks("paging.count_on_each", "No page has more matches than `_count` says.", f"{SEARCH}#count", FAMILY)
def _(context: RestContext) -> None:
    for one in walk(context, f"Patient?family={crowd(context).family}&_count=4"):
        expect(len(ids_of(one)) <= 4, f"A page has {len(ids_of(one))} matches, where _count is 4.")


@checks("paging.total_on_each", "The total of every page is that of all matches.", f"{SEARCH}#total", FAMILY)
def _(context: RestContext) -> None:
    people = crowd(context)
    for one in walk(context, f"Patient?family={people.family}&_count=4&_total=accurate"):
        total = one.get("total")
        expect(total in (None, len(people.ids)), f"A page says a total of {total}, where {len(people.ids)} match.")


@checks("paging.filter_on_each", "The conditions of a search hold on every page.", PAGING, FAMILY, BIRTHDATE)
def _(context: RestContext) -> None:
    people = crowd(context)
    wanted = {one for number, one in enumerate(people.ids) if number % 4 == 1 and number % 6 != 5}
    pages = walk(context, f"Patient?family={people.family}&birthdate=1971&_count=1")
    expect_each_once(pages, tuple(wanted), "a search by family and birthdate")


@checks(
    "paging.sorted", "The order holds over the pages, with equal and with missing values.", PAGING, FAMILY, BIRTHDATE
)
def _(context: RestContext) -> None:
    people = crowd(context)
    for key in ("birthdate", "-birthdate", "-_lastUpdated", "birthdate,-given"):
        query = f"Patient?family={people.family}&_sort={key}&_count=2"
        pages = walk(context, query)
        expect_each_once(pages, people.ids, query)
        if "birthdate" in key:
            found = [e["resource"].get("birthDate") for one in pages for e in one.get("entry", [])]
            dates = [date for date in found if date]
            expect(dates == sorted(dates, reverse=key.startswith("-")), f"The pages of {query} come in another order.")


@checks("paging.sorted_as_whole", "The pages have the order that one page has.", PAGING, FAMILY, BIRTHDATE)
def _(context: RestContext) -> None:
    query = f"Patient?family={crowd(context).family}&_sort=-birthdate"
    whole = all_ids(walk(context, f"{query}&_count=50"))
    expect(all_ids(walk(context, f"{query}&_count=2")) == whole, "Pages of two come in another order than one page.")


@checks("paging.posted", "The pages of a posted search can be walked.", PAGING, FAMILY)
def _(context: RestContext) -> None:
    people = crowd(context)
    found = context.api.found_by_post("Patient", {"family": people.family, "_count": "3"})
    ids = [str(each["id"]) for each in found]
    expect(len(ids) == len(set(ids)), "A match comes on more than one page.")
    expect(set(ids) == set(people.ids), f"The pages of a posted search have {len(ids)} of {len(people.ids)} matches.")


@checks(
    "paging.elements_on_each",
    "What each resource is cut to holds on every page.",
    f"{SEARCH}#elements",
    FAMILY,
)
def _(context: RestContext) -> None:
    pages = walk(context, f"Patient?family={crowd(context).family}&_elements=name&_count=4")
    cut = {"gender" in entry["resource"] for one in pages for entry in one.get("entry", [])}
    expect(len(cut) == 1, "_elements holds on some pages, and not on others.")


def _with_encounters(context: RestContext) -> tuple[str, tuple[str, ...], str]:
    """(family, ids of Encounters, id of their one Patient), made once."""

    def make(it: RestContext) -> tuple[str, tuple[str, ...], str]:
        people = new_crowd(it, 1)
        subject = {"reference": f"Patient/{people.ids[0]}"}
        made = [it.records.create(sample(it, "Encounter", subject=subject)) for _ in range(5)]
        return people.family, tuple(str(each["id"]) for each in made), people.ids[0]

    return context.shared("paging.encounters", make)


@checks(
    "paging.includes_do_not_count",
    "What is included counts neither for `_count` nor for the total, and comes with each page that refers to it.",
    f"{SEARCH}#count",
    search_parameter("Encounter", "subject"),
    include("Encounter", "Encounter:subject"),
)
def _(context: RestContext) -> None:
    _, encounters, patient = _with_encounters(context)
    query = f"Encounter?subject=Patient/{patient}&_include=Encounter:subject&_count=2"
    pages = walk(context, query)
    expect_each_once(pages, encounters, query)
    expect(len(ids_of(pages[0])) == 2, f"The first page of {query} has {len(ids_of(pages[0]))} matches.")
    for one in pages:
        if ids_of(one):
            expect(ids_of(one, "include") == [patient], "A page lacks what its matches refer to.")
        expect(one.get("total") in (None, len(encounters)), f"The total is {one.get('total')}, of {len(encounters)}.")


@checks(
    "paging.reverse_includes",
    "Every page has what refers to its matches.",
    f"{SEARCH}#revinclude",
    FAMILY,
    reverse_include("Patient", "Encounter:subject"),
    interaction("create", "Encounter"),
)
def _(context: RestContext) -> None:
    family, encounters, _ = _with_encounters(context)
    pages = walk(context, f"Patient?family={family}&_revinclude=Encounter:subject&_count=1")
    included = [each for one in pages for each in ids_of(one, "include")]
    expect(sorted(included) == sorted(encounters), f"{len(included)} of {len(encounters)} Encounters come along.")


@checks("paging.added_meanwhile", "What is added during a walk makes nothing come twice or vanish.", PAGING, FAMILY)
def _(context: RestContext) -> None:
    for sort in ("", "&_sort=-_lastUpdated", "&_sort=birthdate"):
        people = new_crowd(context, 6)
        added: list[str] = []

        def add(number: int, family: str = people.family, into: list[str] = added) -> None:
            into.append(str(member(context, family, number)["id"]))

        pages = walk(context, f"Patient?family={people.family}&_count=2{sort}", add)
        ids = all_ids(pages)
        expect(len(ids) == len(set(ids)), f"With {sort or 'no _sort'}, something comes twice after an addition.")
        expect(not set(people.ids) - set(ids), f"With {sort or 'no _sort'}, something vanishes after an addition.")
        expect(set(ids) <= {*people.ids, *added}, "The pages have what does not match.")


@checks("paging.deleted_meanwhile", "What is deleted during a walk makes nothing else vanish.", PAGING, FAMILY, DELETES)
def _(context: RestContext) -> None:
    for sort in ("", "&_sort=birthdate"):
        people = new_crowd(context, 6)
        address = f"Patient?family={people.family}&_count=2{sort}"
        first = page(context, address)
        gone = ids_of(first)[0]
        expect_status(context.api.request("DELETE", f"Patient/{gone}"), 200, 202, 204)
        following = links(first).get("next", "")
        rest = walk(context, following) if following else []
        expect_each_once([first, *rest], people.ids, f"{address} after a deletion on the first page")


@checks("paging.changed_meanwhile", "What is changed during a walk comes once.", PAGING, FAMILY, UPDATES)
def _(context: RestContext) -> None:
    people = new_crowd(context, 6)
    address = f"Patient?family={people.family}&_count=2&_sort=birthdate"
    first = page(context, address)
    changed = {**first["entry"][0]["resource"], "active": False}
    expect_status(context.records.put(changed), 200)
    following = links(first).get("next", "")
    pages = [first, *(walk(context, following) if following else [])]
    expect_each_once(pages, people.ids, f"{address} after a change on the first page")


@checks(
    "paging.system",
    "The pages of a search over types have every match once.",
    PAGING,
    interaction("search-system"),
    search_parameter("Patient", "_tag"),
)
def _(context: RestContext) -> None:
    _, encounters, patient = _with_encounters(context)
    query = f"?_type=Patient,Encounter&_id={','.join([patient, *encounters])}&_count=2"
    expect_each_once(walk(context, query), (patient, *encounters), query)
