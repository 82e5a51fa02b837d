"""`/auth/sign-in` and `/auth/sign-out`: where sessions begin and end.

https://www.w3.org/TR/WCAG22/#accessible-authentication-minimum
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from smart_auth.events import Event
from smart_auth.people.authorize_view import OVER
from smart_auth.people.desk import Desk
from smart_auth.people.sign_in import SignInRefused, authenticate
from smart_auth.people.throttle import WINDOW_MS

# Where one may go on to, by name: an address from a request is never followed.
NEXT_PAGES = ("manage", "launch")

WRONG = "The name or the password is not right."
THROTTLED = f"There were too many attempts to sign in. Wait for {WINDOW_MS // 60_000} minutes, then try again."


class SignIn:
    """Signing in, for an authorization request or for a page of ours, and signing out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def form(self) -> Response:
        """The page to sign in on before a page of ours."""
        return self._page(_next_page(request.args.get("next")))

    def take(self) -> Response:
        """Check a name and a password; go on to where they were asked for, with a new secret in the cookie."""
        if not self._desk.browsers.is_own_form(request):
            return self._desk.stale_form()
        tx, next_page = request.form.get("tx") or None, _next_page(request.form.get("next"))
        transaction = self._desk.transactions.find(tx)
        if tx is not None and transaction is None:
            return self._desk.error(400, "This request is over", OVER)
        services, name = self._desk.services, request.form.get("name", "")
        user = authenticate(
            services, self._desk.throttle, name, request.form.get("password", ""), request.remote_addr or ""
        )
        if isinstance(user, SignInRefused):
            return self._page(next_page, tx, name, user)
        before = self._desk.visitor()
        secret, session = self._desk.sessions.begin(user, self._desk.browsers.secret(request))
        if tx is not None and transaction is not None:
            if before is not None and before.user.sub == transaction.sub != user.sub:
                # Another user takes over at the same browser, and begins at the beginning.
                self._desk.transactions.save(tx, transaction, sub=session.sub, patient=None, encounter=None)
            response = self._desk.to_page("continue", tx=tx)
        else:
            response = self._desk.to_page(next_page)
        self._desk.browsers.give(response, secret)
        return response

    def sign_out(self) -> Response:
        """End the session, and with it what apps may do only while it lasts."""
        if not self._desk.browsers.is_own_form(request):
            return self._desk.stale_form()
        session = self._desk.sessions.end(self._desk.browsers.secret(request))
        self._desk.services.access_cache.forget()
        if session is not None:
            self._desk.services.audit(Event("sign-out", True, sub=session.sub, address=request.remote_addr))
        tx = request.form.get("tx") or None
        transaction = self._desk.transactions.find(tx)
        if (
            tx is not None
            and transaction is not None
            and session is not None
            and transaction.sub in (None, session.sub)
        ):
            self._desk.transactions.save(tx, transaction, sub=None, patient=None, encounter=None)
            response = self._desk.to_page("continue", tx=tx)
        else:
            response = self._desk.to_page("signed-out")
        self._desk.browsers.give(response, self._desk.services.random_text())
        return response

    def signed_out(self) -> Response:
        """Says that it worked."""
        return self._desk.pages.page("signed_out.html")

    def _page(
        self, next_page: str, tx: str | None = None, name: str = "", refused: SignInRefused | None = None
    ) -> Response:
        transaction = self._desk.transactions.find(tx)
        client = self._desk.services.store.clients.find(transaction.request.client_id) if transaction else None
        is_throttled = refused is not None and refused.why == "throttled"
        return self._desk.show(
            "sign_in.html",
            status=200 if refused is None else 429 if is_throttled else 401,
            leads_to=[transaction.request.redirect_uri] if transaction else (),
            headers={"Retry-After": str(WINDOW_MS // 1000)} if is_throttled else None,
            tx=tx or "",
            next_page=next_page,
            client=client,
            again=None,
            name=name,
            problem=None if refused is None else THROTTLED if is_throttled else WRONG,
        )


def _next_page(name: str | None) -> str:
    return name if name in NEXT_PAGES else NEXT_PAGES[0]


def add_sign_in_view(blueprint: Blueprint, sign_in: SignIn) -> None:
    """Add signing in and out to our pages."""
    blueprint.add_url_rule("/sign-in", "sign-in", sign_in.form, methods=["GET"])
    blueprint.add_url_rule("/sign-in", "take-sign-in", sign_in.take, methods=["POST"])
    blueprint.add_url_rule("/sign-out", "sign-out", sign_in.sign_out, methods=["POST"])
    blueprint.add_url_rule("/signed-out", "signed-out", sign_in.signed_out, methods=["GET"])
