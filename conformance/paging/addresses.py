"""The links of pages: whether they lead where they say. https://hl7.org/fhir/R4/bundle.html#searchset"""

from __future__ import annotations

from itertools import pairwise

from conformance.answers import expect_status
from conformance.check import Checks, Skip, expect
from conformance.clauses import HTTP, SEARCH
from conformance.paging.crowd import all_ids, crowd, ids_of, page, walk
from conformance.rest_context import RestContext
from conformance.search.results import ABSOLUTE, links
from conformance.statement import search_parameter

checks = Checks("Paging: links")
PAGING = f"{HTTP}#paging"
FAMILY = search_parameter("Patient", "family")


def _query(context: RestContext, count: int) -> str:
    return f"Patient?family={crowd(context).family}&_count={count}"


def _next(context: RestContext) -> str:
    following = links(page(context, _query(context, 3))).get("next")
    if following is None:
        raise Skip("There is no next link.")
    return following


@checks("paging.next_is_absolute", "The next link is an absolute address.", PAGING, FAMILY)
def _(context: RestContext) -> None:
    following = _next(context)
    expect(following.startswith(ABSOLUTE), f"The next link {following} is no absolute address.")
    if not following.startswith(context.base_url):
        context.notes.append(f"The next link leads to another base than {context.base_url}.")


@checks("paging.next_again", "A next link that is asked twice is answered the same.", PAGING, FAMILY)
def _(context: RestContext) -> None:
    following = _next(context)
    once, twice = page(context, following), page(context, following)
    expect(ids_of(once) == ids_of(twice), "The same next link has other matches the second time.")
    expect(ids_of(once), "The second page has no match.")


@checks("paging.back_to_the_first", "After the second page, the first is as it was.", PAGING, FAMILY)
def _(context: RestContext) -> None:
    before = ids_of(page(context, _query(context, 3)))
    page(context, _next(context))
    expect(ids_of(page(context, _query(context, 3))) == before, "The first page has other matches the second time.")


@checks("paging.self_of_each", "The self link of every page leads to that page.", PAGING, FAMILY)
def _(context: RestContext) -> None:
    for number, one in enumerate(walk(context, _query(context, 4)), 1):
        address = links(one).get("self")
        expect(address, f"Page {number} has no self link.")
        expect(ids_of(page(context, str(address))) == ids_of(one), f"The self link of page {number} leads elsewhere.")


@checks("paging.last_has_no_next", "The last page has no next link, and the first no previous one.", PAGING, FAMILY)
def _(context: RestContext) -> None:
    pages = walk(context, _query(context, 4))
    expect(len(pages) > 1, "All matches came on one page.")
    expect("next" not in links(pages[-1]), "The last page has a next link.")
    expect(not {"prev", "previous"} & set(links(pages[0])), "The first page has a previous link.")


@checks("paging.first_and_last", "Where there are first and last links, they lead there.", PAGING, FAMILY)
def _(context: RestContext) -> None:
    pages = walk(context, _query(context, 4))
    for relation, wanted in (("first", pages[0]), ("last", pages[-1])):
        given = [links(one)[relation] for one in pages if relation in links(one)]
        for address in given:
            expect(ids_of(page(context, address)) == ids_of(wanted), f"A {relation} link leads elsewhere.")


@checks("paging.previous", "Where there are previous links, they lead back.", PAGING, FAMILY)
def _(context: RestContext) -> None:
    pages = walk(context, _query(context, 4))
    for before, one in pairwise(pages):
        address = links(one).get("previous", links(one).get("prev"))
        if address is not None:
            expect(ids_of(page(context, address)) == ids_of(before), "A previous link leads elsewhere.")


@checks("paging.tampered", "A next link that was tampered with is no error of the server.", PAGING, FAMILY)
def _(context: RestContext) -> None:
    following = _next(context)
    for address in (f"{following}x", following[:-3], f"{following}&_count=2"):
        answer = context.api.get(address)
        expect(answer.status_code < 500, f"A next link that was changed is answered {answer.status_code}.")


@checks(
    "paging.count_too_large", "A `_count` above what a server gives at once is no error.", f"{SEARCH}#count", FAMILY
)
def _(context: RestContext) -> None:
    people = crowd(context)
    pages = walk(context, _query(context, 1_000_000))
    expect(set(all_ids(pages)) == set(people.ids), "Not all matches come with _count=1000000.")


@checks(
    "paging.count_wrong", "A `_count` that is no number of matches is refused or ignored.", f"{SEARCH}#count", FAMILY
)
def _(context: RestContext) -> None:
    for value in ("-1", "many", "1.5"):
        answer = context.api.get(f"Patient?family={crowd(context).family}&_count={value}")
        expect_status(answer, 200, 400, 422)
