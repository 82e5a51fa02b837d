"""Which constraints of a scope are granted: those that the fence can hold to everywhere.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters

Plain tokens of a few parameters only. A modifier, a chain or a list of values would have to hold for reads, histories,
includes and writes as well as for searches; what cannot be held to is not granted.
"""

from __future__ import annotations

import re

from search.catalogue import STANDARD
from smart_auth.scopes.grammar import EVERY_TYPE, ResourceScope

CONSTRAINTS = ("category", "code", "status", "type", "class", "_tag", "_security")
OF_EVERY_TYPE = frozenset({"_tag", "_security"})

# system|code, |code, system| or code, without the signs that would make it several values or a composite one.
_PLAIN_TOKEN = re.compile(r"[^|,$\\\s]+\|?|[^|,$\\\s]*\|[^|,$\\\s]+")


def constraint_fault(scope: ResourceScope) -> str | None:
    """Why the constraint of a scope cannot be granted, in a sentence; None if it can, or there is none."""
    for name, value in scope.constraint:
        code = re.split(r"[:.]", name, maxsplit=1)[0]
        if code != name:
            return f"'{name}' has a modifier or is a chain, and only plain parameters can constrain a scope."
        if name not in CONSTRAINTS:
            return f"'{name}' cannot constrain a scope; these can: {', '.join(CONSTRAINTS)}."
        if scope.type == EVERY_TYPE:
            if name not in OF_EVERY_TYPE:
                return f"'{name}' is not a parameter of every resource type; name the type."
        elif not _is_token(scope.type, name):
            return f"'{name}' is not a token parameter of {scope.type}."
        if not _PLAIN_TOKEN.fullmatch(value):
            return f"The value of '{name}' is not a single code, or a system and a code; ask for one scope a value."
    return None


def _is_token(type_name: str, code: str) -> bool:
    parameter = STANDARD.parameters_of(type_name).get(code)
    return parameter is not None and parameter.kind == "token"
