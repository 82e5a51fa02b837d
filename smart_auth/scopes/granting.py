"""What is granted of what a client asks for.

A scope that is allowed as a whole is granted as the client spelled it, because clients compare texts. One that is allowed in
part is granted in part. What is left out is reported with its reason, for the client's developer to find.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from smart_auth.scopes.constraints import constraint_fault
from smart_auth.scopes.coverage import covered, covers, meet
from smart_auth.scopes.grammar import LEVELS, ResourceScope, parse, spelled

NOT_ALLOWED = "The client is not registered for it, or it was not agreed to."


@dataclass(frozen=True, slots=True)
class Granted:
    """The answer to a scope parameter. granted: spelled scopes in the client's order; dropped: (scope, reason).

    narrowed: (scope, what was granted in its place), for those that were granted in part.
    """

    granted: tuple[str, ...]
    dropped: tuple[tuple[str, str], ...] = ()
    narrowed: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def scope(self) -> str:
        """The value of the `scope` parameter of an answer."""
        return " ".join(self.granted)


def granted(requested: str, allowed: str, levels: Collection[str] = LEVELS) -> Granted:
    """What of a requested scope parameter an allowed one permits.

    https://www.rfc-editor.org/rfc/rfc6749#section-3.3
    allowed: of the client's registration, or what its user agreed to. levels: which of patient, user and system this way of
    getting a token may give. Unknown scopes are dropped and not fatal. Never raises.
    """
    asked, permitted = parse(requested), parse(allowed)
    wide = [scope for scope in permitted.resources if scope.level in levels and constraint_fault(scope) is None]
    found: dict[str, None] = {}
    dropped = [(item.text, item.reason) for item in asked.unknown]
    narrowed = []
    for item in asked.items:
        if isinstance(item, str):
            if _permits(permitted.others, item):
                found[item] = None
            else:
                dropped.append((item, NOT_ALLOWED))
            continue
        reason = _fault(item, levels)
        parts = () if reason else _parts(item, wide)
        if not parts:
            dropped.append((str(item), reason or NOT_ALLOWED))
        elif parts != (str(item),):
            narrowed.append((str(item), parts))
        found.update(dict.fromkeys(parts))
    return Granted(tuple(found), tuple(dropped), tuple(narrowed))


def _permits(allowed: Sequence[str], text: str) -> bool:
    # `launch/location` permits the context in whatever role it is asked for.
    return text in allowed or (text.startswith("launch/") and text.partition("?")[0] in allowed)


def _fault(scope: ResourceScope, levels: Collection[str]) -> str | None:
    if scope.level not in levels:
        return f"Scopes that begin with {scope.level}/ are not granted in this way."
    return constraint_fault(scope)


def _parts(scope: ResourceScope, allowed: Sequence[ResourceScope]) -> tuple[str, ...]:
    if covered(scope, allowed):
        return (str(scope),)
    parts: list[ResourceScope] = []
    for each in allowed:
        part = meet(scope, each)
        if part is None or constraint_fault(part) is not None or any(covers(other, part) for other in parts):
            continue
        parts = [*(other for other in parts if not covers(part, other)), part]
    return tuple(spelled(replace(part, spelling=""), as_word=scope.is_word) for part in parts)
