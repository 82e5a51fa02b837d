"""How codes, tokens and secrets are stored: as SHA-256, in hexadecimal.

That is enough for texts of 256 random bits, which nobody can guess from their hash. Passwords need more; see the users.
"""

from __future__ import annotations

import hashlib


def digest_of(text: str) -> str:
    """SHA-256 of a text in hexadecimal. Any text has one, also one with lone surrogates."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
