"""The entries of a history over all its pages."""

from __future__ import annotations

from typing import Any

from conformance.answers import bundle_of
from conformance.check import Failure
from conformance.rest_context import RestContext

MOST_PAGES = 200


def entries_of(context: RestContext, path: str) -> list[dict[str, Any]]:
    """The entries of all pages of a history. Raises a Failure."""
    found: list[dict[str, Any]] = []
    for _ in range(MOST_PAGES):
        bundle = bundle_of(context.api.get(path), "history")
        found += bundle.get("entry", [])
        following = [link["url"] for link in bundle.get("link", []) if link.get("relation") == "next"]
        if not following:
            return found
        path = following[0]
    raise Failure(f"The history of {path} has more than {MOST_PAGES} pages.")


def written(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The resources of the entries that have one."""
    return [entry["resource"] for entry in entries if "resource" in entry]
