"""Coded values: whether one stands in the value set that its element demands, and in the code system that it names.

https://hl7.org/fhir/R4/terminologies.html#required

Only closed value sets can refuse a value; for open ones (MIME types, UCUM, languages) there is no check here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from resources.definitions import Element, code_system_codes, value_set_codes
from resources.problem import quoted

BindingCheck = Callable[[Any], str | None]
"""The JSON value of an element, already of the right shape → a sentence that says what is wrong, or None."""

LISTED_AT_MOST = 12


def required_binding_check(element: Element, type_name: str) -> BindingCheck | None:
    """The check of an element's required binding for one of its types; None where there is nothing to check."""
    if element.binding is None or element.binding[0] != "required":
        return None
    url = element.binding[1]
    systems = value_set_codes(url)
    if systems is None:
        return None
    if type_name in ("code", "string", "uri"):
        return _code_check(url, frozenset().union(*systems.values()))
    if type_name == "Coding":
        return lambda coding: _no_coding(url, [coding]) if not _is_in(systems, coding) else None
    if type_name == "CodeableConcept":
        return _concept_check(url, systems)
    return None


def coding_fault(coding: dict[str, Any]) -> str | None:
    """What is wrong with a Coding whose system is one of R4's own: such a system has no codes but those of R4.

    https://hl7.org/fhir/R4/terminologies-systems.html
    """
    system, code = coding.get("system"), coding.get("code")
    if type(system) is not str or type(code) is not str or not system.startswith("http://hl7.org/fhir/"):
        return None
    codes = code_system_codes().get(system)
    if codes is None or code in codes:
        return None
    return f"The code {quoted(code)} is not in the code system {system}."


def _code_check(url: str, codes: frozenset[str]) -> BindingCheck:
    listed = sorted(codes)
    some = ", ".join(listed[:LISTED_AT_MOST]) + (", ..." if len(listed) > LISTED_AT_MOST else "")

    def check(code: Any) -> str | None:
        if code in codes:
            return None
        return f"The code {quoted(code)} is not in the required value set {url} ({some})."

    return check


def _concept_check(url: str, systems: Mapping[str, frozenset[str]]) -> BindingCheck:
    def check(concept: Any) -> str | None:
        codings = concept.get("coding")
        if not isinstance(codings, list):
            return f"A coding from the required value set {url} is missing."
        if any(_is_in(systems, coding) for coding in codings):
            return None
        return _no_coding(url, codings)

    return check


def _is_in(systems: Mapping[str, frozenset[str]], coding: Any) -> bool:
    if not isinstance(coding, dict):
        return False
    system, code = coding.get("system"), coding.get("code")
    return isinstance(system, str) and isinstance(code, str) and code in systems.get(system, ())


def _no_coding(url: str, codings: list[Any]) -> str:
    shown = ", ".join(
        quoted(f"{coding.get('system', '')}|{coding.get('code', '')}") for coding in codings if isinstance(coding, dict)
    )
    return f"None of the codings {shown} is in the required value set {url}."
