"""Escapes in search values: `\\,` `\\|` `\\$` and `\\\\` stand for the characters themselves.

https://hl7.org/fhir/R4/search.html#escaping
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\([\\,|$])")


def unescaped(text: str) -> str:
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text


def escaped(text: str) -> str:
    """A text as the value of a query that means just this text."""
    for character in "\\,|$":
        text = text.replace(character, f"\\{character}")
    return text


def split_value(text: str, separator: str, at_most: int = 0) -> list[str]:
    """A value split at its unescaped separators, the parts unescaped: `a\\|b|c` → `["a|b", "c"]`.

    at_most: parts; what follows the last separator counted stays together. 0 for no limit.
    """
    return [unescaped(part) for part in split_escaped(text, separator, at_most)]


def split_escaped(text: str, separator: str, at_most: int = 0) -> list[str]:
    """A value split at its unescaped separators, the parts left as they are."""
    if "\\" not in text:
        return text.split(separator, at_most - 1 if at_most else -1)
    parts = [""]
    is_escaped = False
    for character in text:
        if character == separator and not is_escaped and not (at_most and len(parts) == at_most):
            parts.append("")
        else:
            parts[-1] += character
        is_escaped = character == "\\" and not is_escaped
    return parts
