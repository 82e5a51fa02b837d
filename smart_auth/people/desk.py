"""What the views of the pages share: the services, the stores of the people side, and the ways to answer a browser."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Response, g, request

from smart_auth.people.browser import Browsers, form_proof
from smart_auth.people.flow import Visitor
from smart_auth.people.launches import Launches
from smart_auth.people.records import Records
from smart_auth.people.rendering import Pages
from smart_auth.people.sessions import Sessions
from smart_auth.people.throttle import Throttle
from smart_auth.people.transactions import Transactions
from smart_auth.services import AuthServices

STALE_FORM = (
    "This page was open for too long, or was opened in another browser, or your browser keeps no cookies. "
    "Go back, load the page again and send it once more."
)


class Desk:
    """One a process, shared by its threads. Its methods answer the request at hand."""

    def __init__(self, services: AuthServices, records: Records) -> None:
        self.services = services
        self.records = records
        self.sessions = Sessions(services)
        self.browsers = Browsers(services, self.sessions)
        self.transactions = Transactions(services)
        self.launches = Launches(services)
        self.throttle = Throttle(services)
        self._base_path = urlsplit(services.settings.root).path
        self.pages = Pages(self._base_path)

    def visitor(self) -> Visitor | None:
        """Who is signed in at the browser."""
        return self.browsers.visitor(request)

    def name_of(self, visitor: Visitor) -> str:
        """What the user is called on pages."""
        return self.records.user_display(visitor.user) or visitor.user.display

    def show(
        self,
        template: str,
        visitor: Visitor | None = None,
        status: int = 200,
        leads_to: Iterable[str] = (),
        headers: dict[str, str] | None = None,
        **values: Any,
    ) -> Response:
        """A page with forms, for a browser which is given a secret if it has none."""
        secret, is_new = self.browsers.secret_to_show_forms(request)
        response = self.pages.page(
            template,
            status,
            leads_to,
            headers,
            csrf=form_proof(secret),
            visitor=visitor,
            visitor_name=self.name_of(visitor) if visitor else None,
            **values,
        )
        if is_new:
            self.browsers.give(response, secret)
        return response

    def error(
        self,
        status: int,
        heading: str,
        message: str,
        headers: dict[str, str] | None = None,
        visitor: Visitor | None = None,
    ) -> Response:
        """A page that says what went wrong, with the id that the log knows the request by. Quotes nothing that was sent.

        visitor: to show the ways to our other pages; None where the database may be what is wrong.
        """
        told = {"heading": heading, "message": message, "incident": g.get("request_id") or secrets.token_hex(8)}
        if visitor is not None:
            return self.show("error.html", visitor, status, headers=headers, **told)
        return self.pages.page("error.html", status, headers=headers, visitor=None, **told)

    def stale_form(self) -> Response:
        """The answer to a form that does not prove that we showed it in this browser."""
        return self.error(400, "Please send this again", STALE_FORM)

    def to_page(self, name: str, **query: str) -> Response:
        """Send the browser on to a page of ours, `continue` or `manage`."""
        address = f"{self._base_path}/auth/{name}"
        return see_other(f"{address}?{urlencode(query)}" if query else address)

    def to_sign_in(self, next_page: str) -> Response:
        """Send the browser to sign in, and from there to one of NEXT_PAGES."""
        return self.to_page("sign-in", next=next_page)


def see_other(address: str) -> Response:
    """303, which makes a GET of whatever came before. https://www.rfc-editor.org/rfc/rfc9700#section-4.12"""
    return Response(status=303, headers={"Location": address})
