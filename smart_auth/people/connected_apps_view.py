"""`/auth/manage`: what a user has allowed apps, and the end of it.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html (management_endpoint)
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, request

from smart_auth.model import Client, Grant
from smart_auth.people.desk import Desk
from smart_auth.people.flow import Visitor
from smart_auth.people.records import PatientLine
from smart_auth.people.scope_words import Permission, describe
from smart_auth.tokens.revocation import revoke_grant

ENDED_SHOWN = 20
# What a page may say was done, by the name in its address.
NOTES = {
    "revoked": "The app can no longer use your access.",
    "revoked-all": "No app can use your access any more.",
    "sessions": "You are signed out everywhere else.",
}


@dataclass(frozen=True, slots=True)
class ConnectedApp:
    """A grant with what its user wants to know of it. state: `active`, `revoked` or `ended`."""

    grant: Grant
    client: Client | None
    patient: PatientLine | None
    permissions: list[Permission]
    state: str


class ConnectedApps:
    """The grants of the user at the browser."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._services = desk.services

    def page(self) -> Response:
        """All grants: first those that are in force, then some that have ended."""
        visitor = self._desk.visitor()
        if visitor is None:
            return self._desk.to_sign_in("manage")
        apps = [self._app(grant) for grant in self._services.store.grants.of_user(visitor.user.sub)]
        return self._desk.show(
            "connected_apps.html",
            visitor,
            active=[app for app in apps if app.state == "active"],
            ended=[app for app in apps if app.state != "active"][:ENDED_SHOWN],
            note=NOTES.get(request.args.get("done", "")),
            other_sessions=self._desk.sessions.count_others(visitor.session),
        )

    def confirm(self) -> Response:
        """Ask before one grant, or all of them, are ended. The address names the grant, which is no secret."""
        visitor = self._desk.visitor()
        if visitor is None:
            return self._desk.to_sign_in("manage")
        if request.args.get("grant") is None:
            return self._desk.show("revoke.html", visitor, app=None)
        grant = self._own(visitor, request.args["grant"])
        if grant is None:
            return self._desk.to_page("manage")
        return self._desk.show("revoke.html", visitor, app=self._app(grant))

    def revoke(self) -> Response:
        """End one grant, or all."""
        if not self._desk.browsers.is_own_form(request):
            return self._desk.stale_form()
        visitor = self._desk.visitor()
        if visitor is None:
            return self._desk.to_sign_in("manage")
        if request.form.get("all") == "yes":
            for each in self._services.store.grants.of_user(visitor.user.sub):
                if self._state(each) == "active":
                    revoke_grant(self._services, each.id)
            return self._desk.to_page("manage", done="revoked-all")
        grant = self._own(visitor, request.form.get("grant", ""))
        if grant is None:
            return self._desk.to_page("manage")
        revoke_grant(self._services, grant.id)
        return self._desk.to_page("manage", done="revoked")

    def end_other_sessions(self) -> Response:
        """Sign the user out in every other browser."""
        if not self._desk.browsers.is_own_form(request):
            return self._desk.stale_form()
        visitor = self._desk.visitor()
        if visitor is None:
            return self._desk.to_sign_in("manage")
        self._desk.sessions.end_others(visitor.session)
        self._services.access_cache.forget()
        return self._desk.to_page("manage", done="sessions")

    def _own(self, visitor: Visitor, grant_id: str) -> Grant | None:
        grant = self._services.store.grants.find(grant_id)
        return grant if grant is not None and grant.sub == visitor.user.sub else None

    def _app(self, grant: Grant) -> ConnectedApp:
        patient = grant.context.patient
        return ConnectedApp(
            grant,
            self._services.store.clients.find(grant.client_id),
            self._desk.records.patient(patient) if patient else None,
            describe(grant.scope),
            self._state(grant),
        )

    def _state(self, grant: Grant) -> str:
        if grant.revoked_at is not None:
            return "revoked"
        return "active" if grant.expires_at > self._services.clock() else "ended"


def add_connected_apps_view(blueprint: Blueprint, apps: ConnectedApps) -> None:
    """Add the management page to our pages."""
    blueprint.add_url_rule("/manage", "manage", apps.page, methods=["GET"])
    blueprint.add_url_rule("/manage/revoke", "confirm-revoke", apps.confirm, methods=["GET"])
    blueprint.add_url_rule("/manage/revoke", "revoke", apps.revoke, methods=["POST"])
    blueprint.add_url_rule("/manage/sessions", "end-sessions", apps.end_other_sessions, methods=["POST"])
