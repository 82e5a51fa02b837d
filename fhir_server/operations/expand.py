"""`$expand`: the codes of a value set, all of them or a part at a time.

https://hl7.org/fhir/R4/valueset-operation-expand.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fhir_server.call import Answer, Call
from fhir_server.operations.arguments import arguments_of
from fhir_server.operations.terminology_request import Asked, asked_value_set, expansion_of
from fhir_server.services import Services
from resources.document import instant
from resources.exact_json import exact
from resources.exact_json import written as json_text
from resources.parameters import Arguments
from resources.problem import problem
from resources.terminology import ExpandedCode, Expansion
from search.folding import folded

# More than that must be asked for a part at a time.
MOST_AT_ONCE = 10_000
LONGEST_FILTER = 200
TOLD = ("url", "version", "name", "title", "status", "experimental", "publisher")
NARROWING = ("filter", "activeOnly", "excludeNotForUI", "includeDefinition", "displayLanguage")


def expand(call: Call, services: Services) -> Answer:
    """The value set with its expansion. Raises a 422 `Problem` where its codes cannot be told, or are too many at once."""
    arguments = arguments_of(call)
    asked = asked_value_set(call, arguments, services)
    expansion = expansion_of(asked, services)
    entries = _selected(expansion, arguments)
    offset, count = arguments.one("offset") or 0, arguments.one("count")
    if offset < 0 or (count is not None and count < 0):
        raise problem(400, "value", "The parameters 'offset' and 'count' cannot be negative.")
    if count is None and len(entries) - offset > MOST_AT_ONCE:
        text = f"The expansion has {len(entries):,} codes; ask for them with 'offset' and 'count', or with a 'filter'."
        raise problem(422, "too-costly", text)
    page = entries[offset : offset + min(MOST_AT_ONCE if count is None else count, MOST_AT_ONCE)]
    tree = _value_set(asked, arguments, len(entries), offset, page, expansion, services)
    content = json_text(exact(tree)).encode()  # decimals keep their digits
    return Answer(200, content, shown=[asked.stored] if asked.stored is not None else ())


def _selected(expansion: Expansion, arguments: Arguments) -> Sequence[ExpandedCode]:
    text = arguments.one("filter") or ""
    if len(text) > LONGEST_FILTER:
        raise problem(400, "too-long", f"The parameter 'filter' may have {LONGEST_FILTER} characters at most.")
    words = folded(text).split()
    active_only, for_people = arguments.one("activeOnly"), arguments.one("excludeNotForUI")
    if not (words or active_only or for_people):
        return expansion.entries
    return [
        entry
        for entry in expansion.entries
        if not (active_only and entry.is_inactive) and not (for_people and entry.is_abstract) and _has(entry, words)
    ]


def _has(entry: ExpandedCode, words: Sequence[str]) -> bool:
    """Whether the display or the code has all words of a filter, or the beginnings or ends of them."""
    text = folded(f"{entry.display or ''} {entry.code}")
    return all(word in text for word in words)


def _value_set(
    asked: Asked,
    arguments: Arguments,
    total: int,
    offset: int,
    page: Sequence[ExpandedCode],
    expansion: Expansion,
    services: Services,
) -> dict[str, Any]:
    definition = asked.definition
    found: dict[str, Any] = {"resourceType": "ValueSet"}
    if asked.stored is not None:
        found["id"] = asked.stored.id
    found |= {name: definition[name] for name in TOLD if name in definition}
    found.setdefault("status", "unknown")
    if arguments.one("includeDefinition") and "compose" in definition:
        found["compose"] = definition["compose"]
    now = instant(services.clock())
    parameters = [_parameter(name, arguments.one(name)) for name in NARROWING if arguments.one(name) is not None]
    parameters += [_parameter("count", arguments.one("count"))] if arguments.one("count") is not None else []
    if expansion.partial:
        # Of some code systems only a part is held, so that there may be codes beyond these.
        parameters.append(_parameter("limitedExpansion", True))
    found["expansion"] = {
        "identifier": f"urn:uuid:{services.new_id()}",
        "timestamp": now,
        "total": total,
        "offset": offset,
        **({"parameter": parameters} if parameters else {}),
        **({"contains": [_contained(entry) for entry in page]} if page else {}),
    }
    return found


def _parameter(name: str, value: Any) -> dict[str, Any]:
    kind = "Boolean" if isinstance(value, bool) else "Integer" if isinstance(value, int) else "String"
    return {"name": name, f"value{kind}": value}


def _contained(entry: ExpandedCode) -> dict[str, Any]:
    found: dict[str, Any] = {"system": entry.system} if entry.system else {}
    if entry.is_abstract:
        found["abstract"] = True
    if entry.is_inactive:
        found["inactive"] = True
    if entry.version is not None:
        found["version"] = entry.version
    return {**found, "code": entry.code, **({"display": entry.display} if entry.display else {})}
