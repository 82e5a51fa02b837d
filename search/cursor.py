"""Cursors: where a page begins, as opaque, signed text in a link. They hold all that is needed; the server keeps no state.

A cursor is good for the query that it was made for and no other, and only as this server made it. It cannot be read: a page
of a history may end at a version that its reader must not know of.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from resources.problem import problem, quoted

SIGNATURE_BYTES = 9


def encode_cursor(position: Sequence[str | int | None], query: str, key: bytes) -> str:
    """Position values → cursor text that is safe in a URL.

    query: what the position belongs to, `Patient?name=a&_sort=birthdate`. key: the server's secret.
    """
    text = json.dumps(list(position), ensure_ascii=False, separators=(",", ":")).encode()
    signature = _signature(text, query, key)
    return base64.urlsafe_b64encode(signature + _veiled(text, signature, key)).decode().rstrip("=")


def decode_cursor(cursor: str, query: str, key: bytes) -> list[Any]:
    """The position values of a cursor. Raises a 400 `Problem` for text that this server did not give out for the query."""
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        content = b""
    signature = content[:SIGNATURE_BYTES]
    text = _veiled(content[SIGNATURE_BYTES:], signature, key)
    if not hmac.compare_digest(signature, _signature(text, query, key)):
        raise problem(400, "value", f"The cursor {quoted(cursor)} is not one that this server gave out for this query.")
    position: list[Any] = json.loads(text)
    return position


def _signature(text: bytes, query: str, key: bytes) -> bytes:
    return hmac.new(key, text + b"\0" + query.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()[
        :SIGNATURE_BYTES
    ]


def _veiled(text: bytes, signature: bytes, key: bytes) -> bytes:
    """The text made unreadable, or readable again; the signature makes it another veil for every text.

    https://www.rfc-editor.org/rfc/rfc5297 in small: the signature of what is written serves as its initialization vector.
    """
    stream = hashlib.shake_256(b"veil" + key + signature).digest(len(text))
    return bytes(one ^ other for one, other in zip(text, stream, strict=True))
