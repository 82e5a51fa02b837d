"""Cursors: where a page begins, as opaque text in a link. They hold all that is needed; the server keeps no state."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from resources.problem import problem, quoted


def encode_cursor(*position: str | int) -> str:
    """Position values → cursor text that is safe in a URL."""
    text = json.dumps(position, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, types: tuple[type, ...]) -> list[Any]:
    """The position values of a cursor; each must be of the given type. Raises a 400 `Problem` for any other text."""
    try:
        position = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        position = None
    if (
        not isinstance(position, list)
        or len(position) != len(types)
        or any(type(value) is not kind for value, kind in zip(position, types, strict=True))
        or not all(_can_be_stored(value) for value in position)
    ):
        raise problem(400, "value", f"The cursor {quoted(cursor)} is not one that this server gave out.")
    return position


def _can_be_stored(value: Any) -> bool:
    """Whether a store can compare the value with its own: JSON has larger numbers, and halves of characters."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return not re.search("[\ud800-\udfff]", str(value))
