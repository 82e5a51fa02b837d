"""What a terminology operation is about: the value set or code system that is meant, and the codes.

https://hl7.org/fhir/R4/terminology-service.html

R4's own value sets and code systems are everybody's. Those that are stored are for those who may read all of their type, and
one that is asked for by its id for those who may read that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fhir_server.call import Call
from fhir_server.operations.arguments import subject_of
from fhir_server.services import Services
from resources.change import Stored
from resources.document import parse_document
from resources.parameters import Arguments
from resources.problem import Problem, problem, quoted
from resources.terminology import R4, CodeSystem, Expansion, Terminology, TerminologyFault, code_system_of
from resources.validation import errors_of, validate
from search.fence import forbidden

Json = Mapping[str, Any]

MOST_CODINGS = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A definition that is meant. canonical: by which it is held; None where the request brings it, or names its id.
    stored: what was read for it."""

    definition: Json
    canonical: str | None = None
    stored: Stored | None = None


@dataclass(frozen=True, slots=True)
class Coding:
    """A code that is asked about. system, version, display: None where they are not given."""

    code: str
    system: str | None = None
    version: str | None = None
    display: str | None = None


@contextmanager
def answering_faults() -> Iterator[None]:
    """Turn what terminology has no answer to into a 422 `Problem`."""
    try:
        yield
    except TerminologyFault as fault:
        raise problem(422, fault.code, fault.text) from None


def terminology_for(type_name: str, services: Services) -> Terminology:
    """What a request may know: all that is held, or what comes with R4."""
    return services.terminology if services.fence.within(type_name, "r") == {} else R4


def asked_value_set(call: Call, arguments: Arguments, services: Services) -> Asked:
    """The value set that is meant. Raises a `Problem`: 400 where none or several are named, 404 where it is not known."""
    brought = _brought(call, arguments, "valueSet", services)
    if brought is not None:
        return brought
    canonical = _canonical(arguments.one("url"), arguments.one("valueSetVersion"), services)
    definition = terminology_for("ValueSet", services).definition(canonical)
    if definition is None:
        raise _unknown("ValueSet", canonical, services)
    return Asked(definition, canonical)


def expansion_of(asked: Asked, services: Services) -> Expansion:
    """The codes of a value set. Raises a 422 `Problem` where they cannot be told."""
    terminology = terminology_for("ValueSet", services)
    with answering_faults():
        # By its name, because what was worked out for that is kept.
        found = None if asked.canonical is None else terminology.value_set(asked.canonical)
        return found if found is not None else terminology.expand(asked.definition)


def asked_code_system(call: Call, arguments: Arguments, services: Services) -> CodeSystem | None:
    """The code system that is named by itself; None where only codings name theirs."""
    brought = _brought(call, arguments, "codeSystem", services)
    if brought is not None:
        return code_system_of(brought.definition)
    url = arguments.one("url")
    return None if url is None else held_system(url, arguments.one("version"), services)


def held_system(url: str, version: str | None, services: Services) -> CodeSystem:
    """A code system by its URL. Raises a `Problem`: 404 where it is not known, 422 where its codes are not."""
    canonical = _canonical(url, version, services)
    with answering_faults():
        found = terminology_for("CodeSystem", services).code_system(canonical)
    if found is None:
        raise _unknown("CodeSystem", canonical, services)
    if not found.holds_codes:
        text = f"Of the code system {quoted(canonical)} no codes are held here; its content is '{found.content}'."
        raise problem(422, "not-found", text)
    return found


def codings_of(arguments: Arguments, system: str | None, version: str | None) -> list[Coding]:
    """The codings that are asked about. system, version: of a code that stands by itself.

    Raises a 400 `Problem` unless exactly one of `code`, `coding` and `codeableConcept` is given, with a code in it.
    """
    given = [name for name in ("code", "coding", "codeableConcept") if arguments.one(name) is not None]
    if len(given) != 1:
        text = "Exactly one of the parameters 'code', 'coding' and 'codeableConcept' is needed."
        raise problem(400, "required" if not given else "invalid", text)
    if given == ["code"]:
        return [Coding(arguments.one("code"), system, version, arguments.one("display"))]
    whole = arguments.one(given[0])
    codings = [whole] if given == ["coding"] else whole.get("coding", ())
    found = [
        Coding(each["code"], each.get("system"), each.get("version"), each.get("display"))
        for each in codings
        if "code" in each
    ]
    if not found:
        raise problem(400, "required", f"The parameter '{given[0]}' has no code.")
    if len(found) > MOST_CODINGS:
        raise problem(400, "too-costly", f"The parameter '{given[0]}' has more than {MOST_CODINGS} codings.")
    return found


def _brought(call: Call, arguments: Arguments, name: str, services: Services) -> Asked | None:
    """The definition that the address names or the request carries; None where a URL is to be looked up.

    Raises a `Problem`: 400 where several are named, 422 for a faulty one.
    """
    url, given = arguments.one("url"), arguments.one(name)
    if (call.id is not None) + (url is not None) + (given is not None) > 1:
        raise problem(
            400, "invalid", f"Only one of an id, the parameter 'url' and the parameter '{name}' can be meant."
        )
    if call.id is not None:
        stored = subject_of(call, services)
        assert stored.raw is not None  # a deleted one was refused
        return Asked(parse_document(stored.raw, call.type).tree, stored=stored)
    if given is not None:
        faults = errors_of(validate(given))
        if faults:
            raise Problem(422, faults)
        return Asked(given)
    if url is None and name == "valueSet":
        raise problem(400, "required", f"One of the parameters 'url' and '{name}' is needed, or an id in the address.")
    return None


def _canonical(url: str, version: str | None, services: Services) -> str:
    # What can be taken for an address here is one.
    name = url.removeprefix(f"{services.base_url}/")
    return name if version is None or "|" in name else f"{name}|{version}"


def _unknown(type_name: str, canonical: str, services: Services) -> Problem:
    if services.fence.within(type_name, "r") is None:
        return forbidden(type_name, "r")  # whether it is stored or not
    word = {"ValueSet": "value set", "CodeSystem": "code system"}[type_name]
    return problem(404, "not-found", f"The {word} {quoted(canonical)} is not known here.")
