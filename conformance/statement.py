"""What a server says of itself: its CapabilityStatement, and the claims that checks look for in it.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

FORMATS_OF = {
    "json": ("json", "application/fhir+json", "application/json"),
    "xml": ("xml", "application/fhir+xml", "application/xml"),
}


@dataclass(frozen=True, slots=True)
class Statement:
    """A CapabilityStatement's part for servers. tree: the resource; empty where the server gave none."""

    tree: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rest(self) -> Mapping[str, Any]:
        """The first `rest` of mode server."""
        of_servers = [each for each in _objects(self.tree.get("rest")) if each.get("mode") == "server"]
        return of_servers[0] if of_servers else {}

    @property
    def types(self) -> list[str]:
        """The names of the resource types, as listed."""
        return [str(each.get("type")) for each in _objects(self.rest.get("resource"))]

    def resource(self, type_name: str) -> Mapping[str, Any]:
        """What is said of a type; empty where nothing is."""
        return next((each for each in _objects(self.rest.get("resource")) if each.get("type") == type_name), {})

    def interactions(self, type_name: str | None) -> set[str]:
        """The codes of the interactions with a type, or with the whole system."""
        of = self.rest if type_name is None else self.resource(type_name)
        return {str(each.get("code")) for each in _objects(of.get("interaction"))}

    def search_parameters(self, type_name: str) -> dict[str, str]:
        """Name → kind of the search parameters of a type, with those of all types."""
        of_both = [*_objects(self.rest.get("searchParam")), *_objects(self.resource(type_name).get("searchParam"))]
        return {str(each.get("name")): str(each.get("type")) for each in of_both}

    def operations(self, type_name: str | None) -> set[str]:
        """The names of the operations of a type, or of the whole system, without `$`."""
        of = self.rest if type_name is None else self.resource(type_name)
        return {str(each.get("name")).removeprefix("$") for each in _objects(of.get("operation"))}


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that a CapabilityStatement may say. words: what it says, such as `Patient: vread`."""

    words: str
    holds: Callable[[Statement], bool]


def interaction(code: str, type_name: str | None = None) -> Claim:
    """That an interaction is served, with a type or with the whole system. code: https://hl7.org/fhir/R4/valueset-type-restful-interaction.html"""
    return Claim(f"{type_name or 'system'}: {code}", lambda statement: code in statement.interactions(type_name))


def search_parameter(type_name: str, name: str) -> Claim:
    """That a type can be searched by a parameter."""
    return Claim(
        f"{type_name}: search by {name}",
        lambda statement: (
            "search-type" in statement.interactions(type_name) and name in statement.search_parameters(type_name)
        ),
    )


def operation(name: str, type_name: str | None = None) -> Claim:
    """That an operation is served, of a type or of the whole system. name: without `$`."""
    return Claim(f"{type_name or 'system'}: ${name}", lambda statement: name in statement.operations(type_name))


def of_type(type_name: str, member: str, *values: object) -> Claim:
    """That a member of what is said of a type, such as `conditionalCreate` or `versioning`, has one of the values."""
    words = f"{type_name}: {member} {' or '.join(str(value).lower() for value in values)}"
    return Claim(words, lambda statement: _some_value(statement.resource(type_name).get(member), values))


def include(type_name: str, value: str) -> Claim:
    """That `_include` takes a value with a type, such as `Encounter:subject`."""
    return of_type(type_name, "searchInclude", value, "*")


def reverse_include(type_name: str, value: str) -> Claim:
    """That `_revinclude` takes a value with a type, such as `Encounter:subject` with Patient."""
    return of_type(type_name, "searchRevInclude", value, "*")


def serves_format(name: str) -> Claim:
    """That a format is served: `json` or `xml`."""
    return Claim(f"format {name}", lambda statement: _some_value(statement.tree.get("format"), FORMATS_OF[name]))


def patch_format(media_type: str) -> Claim:
    """That patches of a media type are taken."""
    return Claim(
        f"patchFormat {media_type}", lambda statement: _some_value(statement.tree.get("patchFormat"), (media_type,))
    )


def _some_value(said: object, values: tuple[object, ...]) -> bool:
    return bool(set(said) & set(values)) if isinstance(said, list) else said in values


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())
