"""Fixed values and patterns.

https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_ and #ElementDefinition.pattern_x_
"""

from __future__ import annotations

from typing import Any


def is_fixed(value: Any, fixed: Any) -> bool:
    """Whether a value is exactly the fixed one, nothing missing and nothing added."""
    if isinstance(fixed, dict):
        return (
            isinstance(value, dict)
            and value.keys() == fixed.keys()
            and all(is_fixed(value[n], fixed[n]) for n in fixed)
        )
    if isinstance(fixed, list):
        return (
            isinstance(value, list)
            and len(value) == len(fixed)
            and all(is_fixed(one, other) for one, other in zip(value, fixed, strict=True))
        )
    return isinstance(value, bool) is isinstance(fixed, bool) and bool(value == fixed)


def has_pattern(value: Any, pattern: Any) -> bool:
    """Whether a value has all that the pattern has, and perhaps more; each entry of an array must be met by some entry."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(n in value and has_pattern(value[n], pattern[n]) for n in pattern)
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(has_pattern(one, other) for one in value) for other in pattern)
    return is_fixed(value, pattern)
