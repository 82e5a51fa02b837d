"""The catalogue of search parameters as the processes of a server share it: one document, which each looks at every second.

search   _id "catalogue"   revision  raised with every change        layout  of the index fields (see `LAYOUT`)
         seen  what the SearchParameters were when it was made       generations  resource type → number
         added  [{facts, ready}]                                     unused  [{id, url, reason}]
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Any

from pymongo.errors import DuplicateKeyError

from fhir_server.store.database import Database
from resources.definitions import SearchParameterFacts
from search.catalogue import FIRST_GENERATION, STANDARD, Added, Catalogue
from search.posted_parameters import Unused

COLLECTION = "search"
REFRESH_SECONDS = 1.0

LAYOUT = 4
"""Raised whenever what is indexed of a resource, or how, changes from one release to the next: then all is indexed anew."""

_ID = {"_id": "catalogue"}


@dataclass(frozen=True, slots=True)
class CatalogueState:
    """The document as a value."""

    revision: int = 0
    layout: int = LAYOUT
    seen: str = ""
    generations: dict[str, int] = field(default_factory=dict)
    added: tuple[Added, ...] = ()
    unused: tuple[Unused, ...] = ()

    def catalogue(self) -> Catalogue:
        """What can be searched by in this state."""
        return Catalogue(self.added, self.generations) if self.revision else STANDARD

    def raised(self, type_names: set[str]) -> dict[str, int]:
        """The generations, with those of some types raised by one."""
        now = {name: self.generations.get(name, FIRST_GENERATION) + 1 for name in type_names}
        return {**self.generations, **now}


def load_state(database: Database) -> CatalogueState:
    """The state as it is stored; the first one where none is."""
    document = database.mongo[COLLECTION].find_one(_ID)
    if document is None:
        return CatalogueState()
    return CatalogueState(
        document["revision"],
        document["layout"],
        document["seen"],
        document["generations"],
        tuple(Added(_facts(item["facts"]), item["ready"]) for item in document["added"]),
        tuple(Unused(**item) for item in document["unused"]),
    )


def _facts(stored: dict[str, Any]) -> SearchParameterFacts:
    components = tuple((identifier, expression) for identifier, expression in stored["components"])
    lists = {"base": tuple(stored["base"]), "targets": tuple(stored["targets"]), "components": components}
    return SearchParameterFacts(**{**stored, **lists})


def save_state(database: Database, state: CatalogueState) -> bool:
    """Store a state whose revision is one more than the stored one's; whether nobody else was quicker."""
    document: dict[str, Any] = {
        **_ID,
        "revision": state.revision,
        "layout": state.layout,
        "seen": state.seen,
        "generations": state.generations,
        "added": [{"facts": asdict(item.facts), "ready": item.is_ready} for item in state.added],
        "unused": [asdict(item) for item in state.unused],
    }
    collection = database.mongo[COLLECTION]
    if state.revision > 1:
        return collection.replace_one({**_ID, "revision": state.revision - 1}, document).matched_count == 1
    try:
        collection.insert_one(document)
    except DuplicateKeyError:
        return False
    return True


class SharedCatalogue:
    """The catalogue as one process sees it, never older than `REFRESH_SECONDS` when a request begins."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._revision = 0
        self._catalogue = STANDARD
        self._look_again = 0.0
        self._looking = Lock()

    def current(self) -> Catalogue:
        """The catalogue to work by. Costs one small read a second."""
        if time.monotonic() >= self._look_again:
            with self._looking:
                if time.monotonic() >= self._look_again:
                    self._look()
        return self._catalogue

    def _look(self) -> None:
        asked_at = time.monotonic()
        document = self._database.mongo[COLLECTION].find_one(_ID, {"revision": 1})
        revision = document["revision"] if document else 0
        if revision != self._revision:
            state = load_state(self._database)
            self._catalogue, self._revision = state.catalogue(), state.revision
        self._look_again = asked_at + REFRESH_SECONDS
