"""Some Patients that take several pages, and walking through pages. https://hl7.org/fhir/R4/http.html#paging"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.answers import bundle_of, eventually, expect_status
from conformance.check import expect
from conformance.rest_context import RestContext
from conformance.samples import sample
from conformance.search.results import links

MANY = 11
MOST_PAGES = 40
Page = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Crowd:
    """family: a name that only they have. ids: in the order in which they were made."""

    family: str
    ids: tuple[str, ...]


def crowd(context: RestContext) -> Crowd:
    """Eleven Patients with birth dates of which several are equal and two are missing, made once; do not change them."""
    return context.shared("paging.crowd", lambda it: new_crowd(it, MANY))


def new_crowd(context: RestContext, number: int) -> Crowd:
    """Patients of their own for a check that changes something."""
    family = context.records.text("crowd")
    ids = tuple(str(member(context, family, each)["id"]) for each in range(number))

    def look() -> None:
        found = len(context.api.found(f"Patient?family={family}"))
        expect(found == number, f"A search for {number} Patients finds {found}.")

    eventually(context, look)
    return Crowd(family, ids)


def member(context: RestContext, family: str, number: int) -> dict[str, Any]:
    """One more Patient of a crowd."""
    birth = None if number % 6 == 5 else f"19{70 + number % 4}-01-01"
    name = [{"family": family, "given": [f"Member{number:02}"]}]
    return context.records.create(sample(context, name=name, birthDate=birth))


def page(context: RestContext, address: str) -> Page:
    """The searchset at an address. Raises a Failure."""
    return bundle_of(expect_status(context.api.get(address), 200), "searchset")


def walk(context: RestContext, address: str, between: Callable[[int], None] | None = None) -> list[Page]:
    """The pages from an address to the last. between: called with the number of pages had so far, before the next is asked.

    Raises a Failure where there is no end.
    """
    pages = [page(context, address)]
    while following := links(pages[-1]).get("next"):
        expect(len(pages) < MOST_PAGES, f"After {MOST_PAGES} pages of {address} there still is a next one.")
        if between is not None:
            between(len(pages))
        pages.append(page(context, following))
    return pages


def ids_of(page_: Page, mode: str = "match") -> list[str]:
    """The ids of what a page has in a mode."""
    return [str(e["resource"]["id"]) for e in page_.get("entry", []) if e.get("search", {}).get("mode") == mode]


def all_ids(pages: list[Page]) -> list[str]:
    """The ids of the matches of all pages, in order."""
    return [each for one in pages for each in ids_of(one)]


def expect_each_once(pages: list[Page], wanted: tuple[str, ...], query: str) -> None:
    """Raise a Failure unless the pages have each match once and nothing else."""
    ids = all_ids(pages)
    twice = sorted({each for each in ids if ids.count(each) > 1})
    expect(not twice, f"{len(twice)} of the matches of {query} come on more than one page: {', '.join(twice)}.")
    missing = sorted(set(wanted) - set(ids))
    expect(not missing, f"{len(missing)} of {len(wanted)} matches of {query} come on no page: {', '.join(missing)}.")
    expect(set(ids) == set(wanted), f"The pages of {query} have what does not match.")
