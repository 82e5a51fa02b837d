"""JSON text indented for a person to read, every value spelled as it was."""

from __future__ import annotations

import re

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
INDENT = "  "


def pretty(raw: bytes) -> bytes:
    """Valid JSON → the same JSON with line breaks and indentation; `1.00` stays `1.00`."""
    parts: list[str] = []
    depth = 0
    previous = ""
    for match in _TOKEN.finditer(raw.decode()):
        piece = match[0]
        if piece in "}]":
            depth -= 1
            if previous not in ("{", "["):
                parts.append("\n" + INDENT * depth)
        elif previous in ("{", "["):
            parts.append("\n" + INDENT * depth)
        parts.append(piece)
        if piece in "{[":
            depth += 1
        elif piece == ",":
            parts.append("\n" + INDENT * depth)
        elif piece == ":":
            parts.append(" ")
        previous = piece
    return "".join(parts).encode() + b"\n"
