"""`$validate-code`: whether a code is in a value set, or in a code system, and whether its display fits.

https://hl7.org/fhir/R4/valueset-operation-validate-code.html and
https://hl7.org/fhir/R4/codesystem-operation-validate-code.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fhir_server.call import Answer, Call
from fhir_server.operations.arguments import arguments_of
from fhir_server.operations.terminology_request import (
    Coding,
    answering_faults,
    asked_code_system,
    asked_value_set,
    codings_of,
    expansion_of,
    held_system,
    terminology_for,
)
from fhir_server.services import Services
from resources.parameters import Arguments, parameter, parameters_bytes
from resources.problem import problem, quoted
from resources.terminology import CodeSystem, ExpandedCode, Expansion, Terminology
from search.folding import folded


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one code. fault: why it is not valid; None where it is. display: the right one, where it is known."""

    fault: str | None
    display: str | None = None


def validate_code(call: Call, services: Services) -> Answer:
    """`result`, and `message` and `display` where there are any, as Parameters. A CodeableConcept is valid if one of its
    codings is."""
    arguments = arguments_of(call)
    judge = (_in_value_set if call.type == "ValueSet" else _in_code_system)(call, arguments, services)
    system = arguments.one("system") if call.type == "ValueSet" else None
    version = arguments.one("systemVersion" if call.type == "ValueSet" else "version")
    verdicts = [judge(coding) for coding in codings_of(arguments, system, version)]
    best = next((each for each in verdicts if each.fault is None), verdicts[0])
    found = [parameter("result", "boolean", best.fault is None)]
    if best.fault is not None:
        found.append(
            parameter("message", "string", " ".join(each.fault for each in verdicts if each.fault is not None))
        )
    if best.display is not None:
        found.append(parameter("display", "string", best.display))
    return Answer(200, parameters_bytes(found))


def _in_value_set(call: Call, arguments: Arguments, services: Services) -> Callable[[Coding], Verdict]:
    expansion = expansion_of(asked_value_set(call, arguments, services), services)
    terminology = terminology_for("CodeSystem", services)
    allows_abstract = bool(arguments.one("abstract"))

    def judge(coding: Coding) -> Verdict:
        entries = _entries(coding, expansion, terminology)
        if len({entry.system for entry in entries}) > 1:
            return Verdict(
                f"The code {quoted(coding.code)} is in several systems of the value set; say which is meant."
            )
        if not entries:
            partly = " Of the system only a part is held here." if coding.system in expansion.partial else ""
            return Verdict(f"The code {_named(coding)} is not in the value set {quoted(expansion.url)}.{partly}")
        entry = entries[0]
        if coding.version is not None and entry.version not in (None, coding.version):
            text = f"The value set has the code {_named(coding)} in version {quoted(entry.version)}."
            return Verdict(text, entry.display)
        return _judged(coding, entry.display, entry.is_abstract and not allows_abstract)

    return judge


def _entries(coding: Coding, expansion: Expansion, terminology: Terminology) -> list[ExpandedCode]:
    if coding.system is None:
        return [entry for entry in expansion.entries if entry.code == coding.code]
    entry = expansion.find(coding.system, coding.code)
    if entry is None:
        with answering_faults():
            system = terminology.code_system(coding.system)
        # In some systems the case of a code does not matter.
        concept = None if system is None else system.find(coding.code)
        entry = None if concept is None else expansion.find(coding.system, concept.code)
    return [] if entry is None else [entry]


def _in_code_system(call: Call, arguments: Arguments, services: Services) -> Callable[[Coding], Verdict]:
    named = asked_code_system(call, arguments, services)
    allows_abstract = arguments.one("abstract") is not False

    def judge(coding: Coding) -> Verdict:
        system = named if named is not None else _own_system(coding, services)
        if coding.system not in (None, system.url):
            return Verdict(f"The code {_named(coding)} is not of the code system {quoted(system.url)}.")
        concept = system.find(coding.code)
        if concept is None:
            partly = " Of the system only a part is held here." if system.is_partial else ""
            return Verdict(f"The code {quoted(coding.code)} is not in the code system {quoted(system.url)}.{partly}")
        return _judged(coding, concept.display, concept.is_abstract and not allows_abstract)

    return judge


def _own_system(coding: Coding, services: Services) -> CodeSystem:
    if coding.system is None:
        raise problem(400, "required", "Which code system is meant? The parameter 'url' says so, or a coding's system.")
    return held_system(coding.system, coding.version, services)


def _judged(coding: Coding, display: str | None, is_abstract: bool) -> Verdict:
    if is_abstract:
        return Verdict(
            f"The code {_named(coding)} is abstract: it groups others and is not to be used itself.", display
        )
    if coding.display is not None and display is not None and not _says(coding.display, (display,)):
        return Verdict(f"The display {quoted(coding.display)} is not that of the code, {quoted(display)}.", display)
    return Verdict(None, display)


def _says(given: str, displays: Iterable[str]) -> bool:
    return folded(given) in {folded(display) for display in displays}


def _named(coding: Coding) -> str:
    return quoted(coding.code) + (f" of {quoted(coding.system)}" if coding.system is not None else "")
