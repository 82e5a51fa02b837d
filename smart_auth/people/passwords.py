"""Passwords: what is accepted as a new one, how one is kept, and how one is checked.

https://www.rfc-editor.org/rfc/rfc9106 (Argon2), https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver
"""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 12
# Nobody's password is longer, and hashing one costs time that an attacker chooses.
MAX_LENGTH = 256
# Each check takes 64 MB for some 50 ms; a burst of attempts must not take the machine down.
CHECKS_AT_ONCE = 4

_hasher = PasswordHasher()
_turns = BoundedSemaphore(CHECKS_AT_ONCE)


def problem_with(password: str, name: str) -> str | None:
    """Why a new password for the user of that name is refused, as a sentence; None if it is accepted."""
    if len(password) < MIN_LENGTH:
        return f"A password needs at least {MIN_LENGTH} characters; this one has {len(password)}."
    if len(password) > MAX_LENGTH:
        return f"A password may have at most {MAX_LENGTH} characters; this one has {len(password)}."
    if name.casefold() in password.casefold() and len(name) * 2 >= len(password):
        return "A password must not be made of the name."
    if len(set(password)) < 4:
        return "A password needs at least 4 different characters."
    return None


def hashed(password: str) -> str:
    """The Argon2id hash of a password, with its salt and parameters, as it is kept."""
    with _turns:
        return _hasher.hash(_prepared(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one of the hash. Without a hash (nobody has that name) it takes just as long."""
    if len(password) > MAX_LENGTH:
        password = password[:MAX_LENGTH] + "\x00"  # too long to be anybody's
    with _turns:
        try:
            return _hasher.verify(password_hash or _nobodys_hash(), _prepared(password)) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with parameters that are weaker than today's."""
    return _hasher.check_needs_rehash(password_hash)


def _prepared(password: str) -> bytes:
    # The same letters typed on another keyboard or system may arrive as other code points.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_bytes(16))
