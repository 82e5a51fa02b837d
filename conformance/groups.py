"""The groups of checks in their order, and running those that were asked for, each with the context it works with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from conformance.bundles import atomicity, batch, both, links, transaction
from conformance.check import Check, Result
from conformance.concurrency import if_match, races
from conformance.errors import requests, resources
from conformance.formats import asking, content
from conformance.history import instance, over_time
from conformance.operations import everything, general, meta, terminology, validating
from conformance.paging import addresses, walks
from conformance.patching import operations as patch_operations
from conformance.patching import requests as patch_requests
from conformance.rest import conditional, creating, deleting, metadata, reading, updating, versions
from conformance.rest_context import RestContext
from conformance.runner import run_checks
from conformance.search import dates, including, numbers, ordering, references, results, specials, strings, tokens
from conformance.search import requests as search_requests
from conformance.smart import run as smart
from conformance.smart.context import SmartContext
from conformance.us_core.plans import DEFAULT_VERSION
from conformance.us_core.profiles import checks_of

NO_CONFIGURATION = "No apps and people of this server were given (--smart FILE)."


@dataclass(frozen=True, slots=True)
class Group:
    """name: for `--group`. title: for reports. checks: in order; their own `group` names the part that they belong to."""

    name: str
    title: str
    checks: tuple[Check, ...]


def _group(name: str, title: str, *parts: Iterable[Check]) -> Group:
    return Group(name, title, tuple(check for part in parts for check in part))


def us_core_group(version: str) -> Group:
    """The group of a version of US Core: `6.1.0`. Raises a KeyError for a version that is not known."""
    return _group("us_core", f"US Core {version}", checks_of(version))


REST_GROUPS: tuple[Group, ...] = (
    _group(
        "rest",
        "REST",
        metadata.checks,
        creating.checks,
        reading.checks,
        versions.checks,
        updating.checks,
        deleting.checks,
        conditional.checks,
    ),
    _group("history", "History", instance.checks, over_time.checks),
    _group("concurrency", "Concurrency", if_match.checks, races.checks),
    _group("bundles", "Bundles", both.checks, batch.checks, transaction.checks, atomicity.checks, links.checks),
    _group(
        "search",
        "Search",
        tokens.checks,
        strings.checks,
        dates.checks,
        references.checks,
        numbers.checks,
        specials.checks,
        including.checks,
        ordering.checks,
        results.checks,
        search_requests.checks,
    ),
    _group("paging", "Paging", walks.checks, addresses.checks),
    _group("formats", "Formats", asking.checks, content.checks),
    _group("errors", "Errors", resources.checks, requests.checks),
    _group("patch", "Patch", patch_operations.checks, patch_requests.checks),
    _group(
        "operations",
        "Operations",
        general.checks,
        validating.checks,
        everything.checks,
        meta.checks,
        terminology.checks,
    ),
    us_core_group(DEFAULT_VERSION),
)
SMART = _group("smart", "SMART on FHIR", smart.CHECKS)
GROUPS: tuple[Group, ...] = (*REST_GROUPS, SMART)


def groups_with(us_core: str) -> tuple[Group, ...]:
    """All groups, with that of a version of US Core."""
    return tuple(us_core_group(us_core) if group.name == "us_core" else group for group in GROUPS)


def run_groups(
    groups: Sequence[Group], only: Sequence[str], context: RestContext, smart_context: SmartContext | None
) -> Iterator[Result]:
    """The results of the checks of some groups whose id contains one of the texts, or of all where there is none.

    Checks of SMART are skipped where there is no context for them.
    """
    for group in groups:
        asked = [check for check in group.checks if not only or any(text in check.id for text in only)]
        if group is not SMART:
            yield from run_checks(asked, context)
        elif smart_context is not None:
            yield from run_checks(asked, smart_context)
        else:
            yield from (Result(check, "skip", NO_CONFIGURATION) for check in asked)
