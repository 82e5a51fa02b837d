"""Rules that R4 states in the text of an element's definition and nowhere as an invariant: members that must agree.

https://hl7.org/fhir/R4/conformance-rules.html

Only rules that the official examples keep are here. Each takes an object of its type, whose members may still be of any
JSON kind, and the visit; it answers with a sentence that says what is wrong, or None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from resources.definitions import search_parameter_facts
from resources.problem import quoted
from resources.visit import Visit

Rule = Callable[[dict[str, Any], Visit], str | None]

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
_WHITE_SPACE = str.maketrans("", "", " \t\r\n")
_STANDARD_PARAMETER = "http://hl7.org/fhir/SearchParameter/"


def _attachment_size(attachment: dict[str, Any], _: Visit) -> str | None:
    """https://hl7.org/fhir/R4/datatypes-definitions.html#Attachment.size: bytes before the base64 encoding."""
    data, size = attachment.get("data"), attachment.get("size")
    if type(data) is not str or type(size) is not int:
        return None
    packed = data.translate(_WHITE_SPACE)
    actual = len(packed) * 3 // 4 - (len(packed) - len(packed.rstrip("=")))
    return f"The size is given as {size}, but the data has {actual} bytes" if size != actual else None


def _full_url(entry: dict[str, Any], _: Visit) -> str | None:
    """https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.fullUrl"""
    url = entry.get("fullUrl")
    if type(url) is str and _ABSOLUTE.fullmatch(url) is None:
        return f"The fullUrl {quoted(url)} is not an absolute URL"
    return None


def _search_outcome(entry: dict[str, Any], _: Visit) -> str | None:
    """https://hl7.org/fhir/R4/valueset-search-entry-mode.html"""
    search, resource = entry.get("search"), entry.get("resource")
    if not isinstance(search, dict) or not isinstance(resource, dict) or search.get("mode") != "outcome":
        return None
    name = resource.get("resourceType")
    return f"An entry of search mode 'outcome' holds an OperationOutcome, not {name}" if name != _OUTCOME else None


_OUTCOME = "OperationOutcome"


def _search_ids(bundle: dict[str, Any], _: Visit) -> str | None:
    """https://hl7.org/fhir/R4/resource-definitions.html#Resource.id: a resource has an id unless it is being created."""
    entries = bundle.get("entry")
    if bundle.get("type") != "searchset" or not isinstance(entries, list):
        return None
    for index, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and "id" not in resource and resource.get("resourceType") != _OUTCOME:
            return f"The resource of entry {index} has no id, as the result of a search must"
    return None


def _link_relations(bundle: dict[str, Any], _: Visit) -> str | None:
    """https://hl7.org/fhir/R4/http.html#paging: a page has one link of a kind."""
    links = bundle.get("link")
    if not isinstance(links, list):
        return None
    relations = [link.get("relation") for link in links if isinstance(link, dict)]
    twice = next((one for one in ("self", "first", "previous", "next", "last") if relations.count(one) > 1), None)
    return f"There is more than one link of relation '{twice}'" if twice is not None else None


def _document_references(bundle: dict[str, Any], _: Visit) -> str | None:
    """https://hl7.org/fhir/R4/documents.html#content: what the Composition refers to is part of the document."""
    entries = _objects(bundle.get("entry"))
    composition = entries[0].get("resource") if bundle.get("type") == "document" and entries else None
    if not isinstance(composition, dict):
        return None
    present: set[str] = set()
    for entry in entries:
        resource, url = entry.get("resource"), entry.get("fullUrl")
        if isinstance(resource, dict) and type(url) is str:
            present.add(url)
            local = f"{resource.get('resourceType')}/{resource.get('id')}"
            meta = resource.get("meta")
            version = meta.get("versionId") if isinstance(meta, dict) else None
            present |= {local, f"{local}/_history/{version}", f"{url}/_history/{version}"}
    for reference in _direct_references(composition):
        target = reference.get("reference")
        if type(target) is str and not target.startswith("#") and target not in present:
            return f"The document's Composition refers to {quoted(target)}, which no entry holds"
    return None


def _direct_references(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The references of a Composition, or of a section, to what has to be in the document."""
    for name in ("subject", "encounter", "custodian", "focus"):
        yield from _objects([part.get(name)])
    for name in ("author", "entry"):
        yield from _objects(part.get(name))
    for attester in _objects(part.get("attester")):
        yield from _objects([attester.get("party")])
    for event in _objects(part.get("event")):
        yield from _objects(event.get("detail"))
    for section in _objects(part.get("section")):
        yield from _direct_references(section)


@cache
def _standard_parameter_types() -> dict[str, str]:
    return {facts.id: facts.type for facts in search_parameter_facts()}


def _standard_type(canonical: Any) -> str | None:
    """The type of the R4 search parameter that a canonical names, or None where it names another."""
    if type(canonical) is not str or not canonical.startswith(_STANDARD_PARAMETER):
        return None
    return _standard_parameter_types().get(canonical.removeprefix(_STANDARD_PARAMETER).partition("|")[0])


def _derived_parameter(parameter: dict[str, Any], _: Visit) -> str | None:
    """https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.derivedFrom"""
    expected, stated = _standard_type(parameter.get("derivedFrom")), parameter.get("type")
    if expected is not None and stated != expected:
        return f"It derives from {parameter['derivedFrom']}, whose type is '{expected}', not {quoted(stated)}"
    return None


def _composite_parts(parameter: dict[str, Any], _: Visit) -> str | None:
    """https://hl7.org/fhir/R4/search.html#composite"""
    components = parameter.get("component", [])
    if parameter.get("type") == "composite" and isinstance(components, list) and len(components) < 2:
        return f"A composite search parameter has two or more components, not {len(components)}"
    return None


def _include_system(include: dict[str, Any], _: Visit) -> str | None:
    """https://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.compose.include.system"""
    system = include.get("system")
    if type(system) is str and _ABSOLUTE.fullmatch(system) is None:
        return f"The system {quoted(system)} is not an absolute URI"
    return None


def _code_system_properties(code_system: dict[str, Any], _: Visit) -> str | None:
    """https://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.property.type"""
    types: dict[Any, Any] = {}
    for declared in _objects(code_system.get("property")):
        code = declared.get("code")
        if type(code) is str and type(declared.get("type")) is str:
            if code in types:
                return f"The property {quoted(code)} is declared twice"
            types[code] = declared["type"]
    pending = _objects(code_system.get("concept")) if types else []
    while pending:
        concept = pending.pop()
        pending += _objects(concept.get("concept"))
        for stated in _objects(concept.get("property")):
            code = stated.get("code")
            expected = types.get(code) if type(code) is str else None
            value = next((name for name in stated if name.startswith("value")), None)
            if expected is not None and value is not None and value != f"value{expected[:1].upper()}{expected[1:]}":
                return f"The property {quoted(code)} is declared as {expected}, but a concept has a {value} for it"
    return None


def _objects(values: Any) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


RULES: dict[str, list[Rule]] = {
    "Attachment": [_attachment_size],
    "Bundle": [_search_ids, _link_relations, _document_references],
    "Bundle.entry": [_full_url, _search_outcome],
    "CodeSystem": [_code_system_properties],
    "SearchParameter": [_composite_parts, _derived_parameter],
    "ValueSet.compose.include": [_include_system],
}
"""Type or backbone path → the rules for its objects."""
