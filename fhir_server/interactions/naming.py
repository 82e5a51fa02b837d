"""Problems of an entry, told as problems of the Bundle: with the entry's place, its method and its address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from resources.bundle import Entry
from resources.problem import Issue, Problem


@contextmanager
def naming(entry: Entry) -> Iterator[None]:
    """Let a problem of an entry say which entry it is."""
    try:
        yield
    except Problem as fault:
        raise Problem(
            fault.status, [_named(issue, entry) for issue in fault.issues], fault.headers, fault.is_denial
        ) from None


def _named(issue: Issue, entry: Entry) -> Issue:
    at = issue.expression or ""
    if at.startswith("Bundle.entry["):
        return issue  # it names the entry already
    text = f"{entry.place} ({entry.method} {entry.url[:200]}): {issue.text}"
    return Issue(issue.severity, issue.code, text, _place(at, entry))


def _place(at: str, entry: Entry) -> str:
    """`Patient.name[0]` as `Bundle.entry[2].resource.name[0]`; the entry itself for what is no path into its resource."""
    type_name, dot, path = at.partition(".")
    if dot and entry.document is not None and type_name == entry.document.type:
        return f"{entry.place}.resource.{path}"
    return entry.place
