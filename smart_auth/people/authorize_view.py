"""`/auth/authorize` and `/auth/continue`: a request is checked and stored first, and only then is looked who is there.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code
A request may be posted from the app's own page, and then comes without our cookie; what follows it does not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Blueprint, Response, request

from smart_auth.events import Event
from smart_auth.model import Client, LaunchContext
from smart_auth.people.authorize_request import (
    AuthorizeRequest,
    Refused,
    Unanswerable,
    read_parameters,
    read_request,
)
from smart_auth.people.code_for import code_for
from smart_auth.people.desk import Desk, see_other
from smart_auth.people.flow import Step, Stop, Visitor, next_step, with_known_context
from smart_auth.people.redirects import code_redirect, error_redirect
from smart_auth.people.transactions import Transaction

FORM = "application/x-www-form-urlencoded"
OVER = "Either it has been finished, or it was left for too long. Go back to the app and start again."


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a transaction stands: its secret name, itself with what is known by now, its client, its user, and the step."""

    name: str
    transaction: Transaction
    client: Client
    visitor: Visitor
    step: Step


class Authorization:
    """The way from an authorization request to the answer that its app gets."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._services = desk.services

    def begin(self) -> Response:
        """Check a request and store it. https://www.rfc-editor.org/rfc/rfc6749#section-3.1"""
        encoded = [request.query_string]
        if request.method == "POST":
            if request.mimetype != FORM:
                return self._desk.error(415, "This request cannot be read", f"A form must be sent as {FORM}.")
            encoded.append(request.get_data(cache=False))
        settings = self._services.settings
        read = read_request(read_parameters(*encoded), settings.fhir_base, self._services.store.clients.find)
        if isinstance(read, Unanswerable):
            self._denied(read.client_id, read.message)
            return self._desk.error(400, "This app cannot be opened", read.message)
        if isinstance(read, Refused):
            return self._refuse(read)
        context, session = self._launch(read)
        if read.launch is not None and context is None:
            wrong = "The launch is not known, was used before, is too old, or is another client's."
            return self._refuse(Refused(read.client_id, read.redirect_uri, "invalid_request", wrong, read.state))
        return self._desk.to_page("continue", tx=self._desk.transactions.begin(read, context, session))

    def stage(self, name: str | None) -> Stage | Response:
        """Where a transaction stands with the user at this browser; a response if it ends, or has to begin with sign-in."""
        transaction = self._desk.transactions.find(name)
        client = self._services.store.clients.find(transaction.request.client_id) if transaction else None
        if name is None or transaction is None or client is None or not client.is_active:
            return self._desk.error(400, "This request is over", OVER)
        visitor = self._desk.visitor()
        if visitor is not None:
            if transaction.sub not in (None, visitor.user.sub):
                return self._desk.error(
                    403,
                    "This request is somebody else's",
                    "Another user has begun it. Go back to the app and start again.",
                )
            transaction = with_known_context(transaction, visitor.user)
        step = next_step(transaction, visitor, client, self._services.clock())
        if isinstance(step, Stop):
            return self.stop(name, step, visitor)
        if step == "sign-in" or visitor is None:
            return self._desk.show(
                "sign_in.html",
                leads_to=[transaction.request.redirect_uri],
                tx=name,
                next_page="",
                client=client,
                again=visitor,
                name=visitor.user.name if visitor else "",
                problem=None,
            )
        if transaction.patient and self._desk.records.patient(transaction.patient) is None:
            return self.stop(name, Stop("access_denied", "There is no record of the patient."), visitor)
        if transaction.sub is None:
            self._desk.transactions.save(name, transaction, sub=visitor.user.sub)
        return Stage(name, transaction, client, visitor, step)

    def finish(self, stage: Stage, scope: str) -> Response:
        """Answer the app with a code for a granted scope."""
        taken = self._desk.transactions.take(stage.name)
        if taken is None:
            return self._desk.error(400, "This request is over", OVER)
        taken = replace(taken, patient=stage.transaction.patient, encounter=stage.transaction.encounter)
        code = code_for(self._services, taken, stage.visitor, scope, request.remote_addr)
        return see_other(
            code_redirect(taken.request.redirect_uri, code, taken.request.state, self._services.settings.issuer)
        )

    def stop(self, name: str, stop: Stop, visitor: Visitor | None) -> Response:
        """Answer the app with an error, and end the transaction."""
        taken = self._desk.transactions.take(name)
        if taken is None:
            return self._desk.error(400, "This request is over", OVER)
        self._denied(taken.request.client_id, stop.description, visitor)
        return self._to_app(taken.request, stop)

    def refuse_consent(self, stage: Stage) -> Response:
        """Answer the app that its user said no. https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1"""
        taken = self._desk.transactions.take(stage.name)
        if taken is None:
            return self._desk.error(400, "This request is over", OVER)
        self._services.audit(
            Event(
                "consent",
                False,
                client_id=taken.request.client_id,
                sub=stage.visitor.user.sub,
                patient=stage.transaction.patient,
                reason="The user refused.",
                address=request.remote_addr,
            )
        )
        return self._to_app(taken.request, Stop("access_denied", "The user refused."))

    def _to_app(self, to: AuthorizeRequest, stop: Stop) -> Response:
        issuer = self._services.settings.issuer
        return see_other(error_redirect(to.redirect_uri, stop.error, stop.description, to.state, issuer))

    def _refuse(self, refused: Refused) -> Response:
        self._denied(refused.client_id, refused.description)
        issuer = self._services.settings.issuer
        return see_other(
            error_redirect(refused.redirect_uri, refused.error, refused.description, refused.state, issuer)
        )

    def _launch(self, read: AuthorizeRequest) -> tuple[LaunchContext | None, str | None]:
        """The context of the launch and the session that it was made in. Whose session that must be is seen later."""
        found = None if read.launch is None else self._desk.launches.take(read.launch, read.client_id)
        return (None, None) if found is None else (found.context, found.session)

    def _denied(self, client_id: str | None, reason: str, visitor: Visitor | None = None) -> None:
        sub = visitor.user.sub if visitor else None
        self._services.audit(
            Event("denied", False, client_id=client_id, sub=sub, reason=reason, address=request.remote_addr)
        )


def add_authorize_view(blueprint: Blueprint, authorization: Authorization) -> None:
    """Add the authorization endpoint to our pages."""
    blueprint.add_url_rule("/authorize", "authorize", authorization.begin, methods=["GET", "POST"])
