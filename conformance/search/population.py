"""The population that all searches look at: made once in a run, and marked, so that nothing else is ever found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.answers import eventually
from conformance.api import keys_of
from conformance.check import Failure, Skip, expect
from conformance.rest_context import RestContext
from conformance.search.care import care
from conformance.search.people import people

MARK_SYSTEM = "urn:conformance-kit:population"
_REFERENCE = re.compile(r'"reference": "([A-Z]\w+)/(\w+)"')


@dataclass(frozen=True, slots=True)
class Population:
    """mark: the code of the tag of all. unique: a part of their URLs. made: key → the resource as the server has it.

    refused: key → why the server did not take what it should. Types that it does not claim are in neither.
    """

    mark: str
    unique: str
    made: Mapping[str, Mapping[str, Any]]
    refused: Mapping[str, str]

    def need(self, *keys: str) -> None:
        """Raise a Failure where one of the resources was refused, and a Skip where the server does not have its type."""
        for key in keys:
            if key in self.refused:
                raise Failure(self.refused[key])
            if key not in self.made:
                raise Skip(f"The server does not claim the type of what would be looked for ({key}).")

    def path(self, key: str) -> str:
        """`Type/id`. Raises what `need` does."""
        self.need(key)
        return f"{self.made[key]['resourceType']}/{self.made[key]['id']}"

    def names(self, paths: Iterable[str]) -> set[str]:
        """The keys of what is found; what is not of the population, as it is."""
        known = {self.path(key): key for key in self.made}
        return {known.get(path, path) for path in paths}

    def of_type(self, type_name: str) -> list[str]:
        """The keys of the resources of a type, in the order in which they were made."""
        return [key for key, resource in self.made.items() if resource["resourceType"] == type_name]

    def values(self, context: RestContext) -> dict[str, str]:
        """What may stand in braces in a query: the ids of the population by their keys, `base`, `url` and `first`."""
        ids = {key: str(resource["id"]) for key, resource in self.made.items()}
        first = str(next(iter(self.made.values()), {}).get("meta", {}).get("lastUpdated", ""))
        return {**ids, "base": context.base_url, "url": f"http://example.org/{self.unique}", "first": first}

    def limit(self, context: RestContext, type_name: str) -> tuple[str, str]:
        """The parameter that keeps a search to the population: `_tag` where it is claimed, or else `_id`."""
        if "_tag" in context.statement.search_parameters(type_name):
            return "_tag", f"{MARK_SYSTEM}|{self.mark}"
        return "_id", ",".join(str(self.made[key]["id"]) for key in self.of_type(type_name))


def population(context: RestContext) -> Population:
    """The population of the run. Raises a Failure where it cannot be found."""
    return context.shared("search.population", _make)


def _make(context: RestContext) -> Population:
    mark, unique = context.records.text("p"), context.records.text("kit-")
    made: dict[str, Mapping[str, Any]] = {}
    refused: dict[str, str] = {}
    for key, resource in {**people(unique), **care()}.items():
        if context.statement.types and resource["resourceType"] not in context.statement.types:
            continue
        text = _REFERENCE.sub(
            lambda match: f'"reference": "{match[1]}/{made[match[2]]["id"] if match[2] in made else match[2]}"',
            json.dumps(resource),
        )
        tree = json.loads(text)
        tree["meta"] = {**tree.get("meta", {}), "tag": [{"system": MARK_SYSTEM, "code": mark}]}
        try:
            made[key] = context.records.create(tree)
        except Failure as failure:
            refused[key] = str(failure)
    population = Population(mark, unique, made, refused)
    for type_name in sorted({str(resource["resourceType"]) for resource in made.values()}):
        if "search-type" in context.statement.interactions(type_name):
            _await(context, population, type_name)
    return population


def _await(context: RestContext, population: Population, type_name: str) -> None:
    name, value = population.limit(context, type_name)
    wanted = set(population.of_type(type_name))

    def look() -> None:
        found = population.names(keys_of(context.api.found(f"{type_name}?{name}={value}")))
        expect(found == wanted, f"{type_name}?{name}={value} finds {sorted(found)} of {sorted(wanted)}.")

    eventually(context, look)
