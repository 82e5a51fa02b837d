"""The fence: what of each resource type a request may see or change, as a filter that every step of a plan carries.

A fence is asked for a type and for what is to be done with it, by the letters of SMART scopes: c create, r read, u update,
d delete, s search.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from __future__ import annotations

from typing import Literal, Protocol

from resources.problem import Problem, problem
from search.entry_text import Filter

Letter = Literal["c", "r", "u", "d", "s"]

WORDS: dict[Letter, str] = {"c": "create", "r": "read", "u": "update", "d": "delete", "s": "search"}


class Fence(Protocol):
    """What a request may do."""

    def within(self, type_name: str, letter: Letter) -> Filter | None:
        """The filter for resources of a type with which this may be done: empty for all of them, None for none at all."""


class _NoFence:
    def within(self, type_name: str, letter: Letter) -> Filter | None:
        return {}


NO_FENCE: Fence = _NoFence()
"""Everything may be done: authorization is off."""


def filter_within(fence: Fence, type_name: str, letter: Letter) -> Filter:
    """The filter of a fence. Raises a 403 `Problem` where it allows nothing."""
    allowed = fence.within(type_name, letter)
    if allowed is None:
        raise forbidden(type_name, letter)
    return allowed


def forbidden(type_name: str, letter: Letter) -> Problem:
    """What to say to whoever may not do this with any resource of a type.

    https://www.rfc-editor.org/rfc/rfc6750#section-3.1
    """
    challenge = f'Bearer realm="fhir", error="insufficient_scope", scope="{type_name}.{letter}"'
    text = f"This access does not allow to {WORDS[letter]} {type_name}."
    return problem(403, "forbidden", text, headers={"WWW-Authenticate": challenge})
