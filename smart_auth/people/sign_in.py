"""Whether somebody is who they say: a name and a password against the store, throttled and told apart by nothing.

A wrong name, a wrong password and a disabled user get the same answer after the same time.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from smart_auth.events import Event
from smart_auth.model import User
from smart_auth.people.passwords import hashed, is_outdated, matches
from smart_auth.people.throttle import Throttle
from smart_auth.services import AuthServices
from smart_auth.settings import is_loopback

MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """Nobody was signed in. why: `wrong` name or password, or `throttled`."""

    why: Literal["wrong", "throttled"]


def folded_name(name: str) -> str:
    """A sign-in name as it is stored and compared: without case, outer blanks and differences of encoding."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def authenticate(
    services: AuthServices, throttle: Throttle, name: str, password: str, address: str
) -> User | SignInRefused:
    """The user of that name, if the password is theirs. Tells the audit, which learns no name that nobody has."""
    name = folded_name(name)[:MAX_NAME]
    attempt = throttle.begin(name, address)
    if attempt is None:
        services.audit(Event("sign-in", False, reason="Too many attempts to sign in.", address=address))
        return SignInRefused("throttled")
    user = services.store.users.find_by_name(name)
    is_right = matches(user.password_hash if user else None, password)
    if user is None or not is_right or not user.is_active or not may_sign_in_here(services, user):
        reason = (
            "The password was wrong." if user and not is_right else "The user is unknown, disabled or for demos only."
        )
        services.audit(Event("sign-in", False, sub=user.sub if user else None, reason=reason, address=address))
        return SignInRefused("wrong")
    throttle.succeeded(attempt)
    if is_outdated(user.password_hash):
        user = replace(user, password_hash=hashed(password))
        services.store.users.replace(user)
    services.audit(Event("sign-in", True, sub=user.sub, address=address))
    return user


def may_sign_in_here(services: AuthServices, user: User) -> bool:
    """Demo users have passwords that anybody may read, so they work on this machine only, unless that is allowed."""
    settings = services.settings
    return not user.is_demo or settings.allow_demo_users or is_loopback(urlsplit(settings.issuer).hostname or "")
