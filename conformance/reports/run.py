"""A run of the kit as a value: when it was, of which server, and what each group found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from conformance.check import Outcome, Result

OUTCOMES: tuple[Outcome, ...] = ("fail", "error", "pass", "skip")
"""In the order in which a reader wants them."""

WORDS: Mapping[Outcome, str] = {"pass": "passed", "fail": "failed", "error": "broke", "skip": "skipped"}
"""An outcome as a word for a reader; error: the check itself broke."""


@dataclass(frozen=True, slots=True)
class GroupResults:
    """title: of the group. results: in order; no group is without any."""

    title: str
    results: Sequence[Result]

    def counts(self) -> Counter[Outcome]:
        """Outcome → how many checks had it."""
        return Counter(result.outcome for result in self.results)


@dataclass(frozen=True, slots=True)
class Run:
    """base_url: of the FHIR API. tag: of the resources that it made. began: with a time zone. statement: the server's
    CapabilityStatement, empty where there was none. left: `Type/id` of what the run made and could not delete.
    """

    base_url: str
    tag: str
    began: datetime
    took: timedelta
    statement: Mapping[str, Any]
    groups: Sequence[GroupResults]
    left: Sequence[str] = ()

    @property
    def results(self) -> list[Result]:
        """Those of all groups."""
        return [result for group in self.groups for result in group.results]

    @property
    def is_good(self) -> bool:
        """Whether nothing failed and no check broke."""
        return not any(result.outcome in ("fail", "error") for result in self.results)

    @property
    def software(self) -> str:
        """The server's name and version, as it gives them."""
        said = self.statement.get("software")
        parts = [said.get("name"), said.get("version")] if isinstance(said, dict) else []
        return " ".join(str(part) for part in parts if part) or "a server that does not say what it is"


# What neither XML nor a FHIR string can hold, not even escaped. https://www.w3.org/TR/xml/#charsets
_NO_CHARACTER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def plain(text: str) -> str:
    """A text that every report can hold: what a server answers may be anything."""
    return _NO_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)


def grouped(titles: Iterable[tuple[str, str]], results: Iterable[Result]) -> list[GroupResults]:
    """The results under the titles of their groups. titles: (id of a check, title of its group), in the groups' order."""
    of_check = dict(titles)
    by_title: dict[str, list[Result]] = {title: [] for title in of_check.values()}
    for result in results:
        by_title[of_check[result.check.id]].append(result)
    return [GroupResults(title, found) for title, found in by_title.items() if found]
