"""The browser at the other end: its cookie, its session, and the proof that a form was ours.

https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html

One cookie holds one secret. Before sign-in it is any random text, which only ties a form to the browser that it was shown
in; sign-in replaces it. The proof in a form is derived from it, so that it need not be stored, and tells nothing of it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import urlsplit

from flask import Request, Response

from smart_auth.people.flow import Visitor
from smart_auth.people.sessions import Sessions
from smart_auth.services import AuthServices

_SECRET = re.compile(r"[A-Za-z0-9_\-]{43}")


class Browsers:
    """What is known of the browsers that requests come from."""

    def __init__(self, services: AuthServices, sessions: Sessions) -> None:
        self._services = services
        self._sessions = sessions
        self._is_https = urlsplit(services.settings.issuer).scheme == "https"
        # The prefix makes browsers refuse the cookie from any other host, a sibling domain included.
        self.cookie_name = "__Host-fhir-session" if self._is_https else "fhir-session"

    def secret(self, request: Request) -> str | None:
        """The secret in the cookie; None for one that we never made."""
        text = request.cookies.get(self.cookie_name, "")
        return text if _SECRET.fullmatch(text) else None

    def visitor(self, request: Request) -> Visitor | None:
        """Who is signed in at the browser; None if nobody is, or the user has been disabled."""
        session = self._sessions.find(self.secret(request))
        user = self._services.store.users.find(session.sub) if session else None
        if session is None or user is None or not user.is_active:
            return None
        return Visitor(session, user)

    def secret_to_show_forms(self, request: Request) -> tuple[str, bool]:
        """The browser's secret, and whether it is new and must be given to it."""
        secret = self.secret(request)
        return (secret, False) if secret else (self._services.random_text(), True)

    def give(self, response: Response, secret: str) -> None:
        """Put a secret into the browser's cookie, where no script and no other site can use it."""
        response.set_cookie(self.cookie_name, secret, path="/", secure=self._is_https, httponly=True, samesite="Lax")

    def is_own_form(self, request: Request) -> bool:
        """Whether a posted form was shown by us in this browser."""
        secret = self.secret(request)
        given = request.form.get("csrf", "")
        return secret is not None and hmac.compare_digest(form_proof(secret).encode(), given.encode("utf-8", "replace"))


def form_proof(secret: str) -> str:
    """The hidden value of every form shown to the browser with this secret."""
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()
