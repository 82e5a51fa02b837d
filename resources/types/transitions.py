"""Which status may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resources.problem import Issue

MISTAKE = "entered-in-error"
"""What was recorded by mistake may be said to be so at any time, and then nothing more."""


def check_transition(
    type_name: str, before: dict[str, Any], after: dict[str, Any], allowed: Mapping[str, frozenset[str]]
) -> list[Issue]:
    """An issue where the status may not become what it does. allowed: status → those that may follow it."""
    old, new = before.get("status"), after.get("status")
    if old == new or not isinstance(old, str) or not isinstance(new, str):
        return []
    following = allowed.get(old, frozenset()) | ({MISTAKE} if old != MISTAKE else frozenset())
    if new in following:
        return []
    said = f"may become {', '.join(sorted(following))}" if following else "stays as it is"
    text = f"The status of this {type_name} is '{old}' and cannot become '{new}': what is '{old}' {said}."
    return [Issue("error", "business-rule", text, f"{type_name}.status")]


def table(**following: str) -> dict[str, frozenset[str]]:
    """Status, with `_` for `-`, → those that may follow it, separated by blanks."""
    return {status.replace("_", "-"): frozenset(names.split()) for status, names in following.items()}
