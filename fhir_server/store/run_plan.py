"""Running the steps of a search plan against MongoDB."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_server.store.database import Database
from fhir_server.store.reads import FIELDS, stored_from
from resources.change import Stored
from search.plan import Step


@dataclass(frozen=True, slots=True)
class Page:
    """The matches of one page, and whether more follow."""

    matches: list[Stored]
    has_more: bool


def find_page(database: Database, step: Step) -> Page:
    """The matches of a step, ordered by logical id, from where its page begins."""
    if step.limit == 0:
        return Page([], has_more=False)
    found = (
        database.current(step.type)
        .find(step.page_filter(), FIELDS, session=database.session)
        .sort("_id", 1)
        .limit(step.limit + 1)
    )
    matches = [stored_from(step.type, document) for document in found]
    return Page(matches[: step.limit], has_more=len(matches) > step.limit)


def find_ids(database: Database, step: Step) -> list[str]:
    """The logical ids of the matches of a step, at most its limit."""
    found = database.current(step.type).find(step.filter, {"_id": 1}, session=database.session).limit(step.limit)
    return [document["_id"] for document in found]


def count(database: Database, step: Step) -> int:
    """The number of matches of a step on all its pages."""
    return database.current(step.type).count_documents(step.filter, session=database.session)
