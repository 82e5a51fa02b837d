"""A resource and a query, put through the same extraction, plan and filters as in the server, without a database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from search.context import Context
from search.entry_text import Filter
from search.index import index_values
from search.match import matches
from search.plan import plan_search
from search.query_text import parse_pairs, parse_query

BASE_URL = "http://localhost:8080/fhir"
NOW = 1_767_225_600_000  # 2026-01-01
CONTEXT = Context(BASE_URL, NOW)
Query = str | list[tuple[str, str]]


def filter_of(type_name: str, query: Query) -> Filter:
    """The filter of a query, a string or pairs, on a type; of queries that need no other type."""
    pairs = parse_pairs(query) if isinstance(query, str) else query
    selection = plan_search(type_name, parse_query(pairs, type_name), CONTEXT)
    assert not selection.joins
    return selection.filter


def document_of(resource: dict[str, Any]) -> dict[str, Any]:
    """What a resource is stored as, but for its bytes."""
    logical_id = resource.get("id", "1")
    return {"_id": logical_id, "t": 0, **index_values(resource, CONTEXT).fields(logical_id)}


def is_found(resource: dict[str, Any], query: Query) -> bool:
    """Whether a search of the resource's type with this query finds it."""
    return matches(filter_of(resource["resourceType"], query), document_of(resource))


@pytest.fixture(scope="session")
def found() -> Callable[[dict[str, Any], Query], bool]:
    return is_found


def matching_pairs(resources: dict[Any, dict[str, Any]], queries: dict[Any, Query]) -> dict[tuple[Any, Any], bool]:
    """Named resources of one type and named queries → for each pair, whether they match."""
    type_name = next(iter(resources.values()))["resourceType"]
    filters = {name: filter_of(type_name, query) for name, query in queries.items()}
    return {
        (name, query): matches(filter_, document)
        for name, document in ((name, document_of(resource)) for name, resource in resources.items())
        for query, filter_ in filters.items()
    }


@pytest.fixture(scope="session")
def matching() -> Callable[[dict[Any, dict[str, Any]], dict[Any, Query]], dict[tuple[Any, Any], bool]]:
    return matching_pairs
