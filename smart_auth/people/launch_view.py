"""`/auth/launch`: a practitioner starts an app for a patient, as from a chart.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch
Everything is posted, the search too, so that no patient is named in an address.
"""

from __future__ import annotations

import re

from flask import Blueprint, Response, request

from smart_auth.model import Client, LaunchContext
from smart_auth.people.desk import Desk, see_other
from smart_auth.people.flow import Visitor
from smart_auth.people.launches import launch_address
from smart_auth.people.records import SHOWN_AT_ONCE, EncounterLine, PatientLine, read_search
from smart_auth.people.steps_view import LONGEST_SEARCH, NO_ENCOUNTER

_INTENT = re.compile(r"[A-Za-z0-9._:/\-]{1,100}")


class LaunchApps:
    """The page that apps are started from."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._services = desk.services

    def page(self) -> Response:
        """Who is the patient?"""
        visitor = self._allowed()
        return visitor if isinstance(visitor, Response) else self._patients(visitor)

    def take(self) -> Response:
        """`search` for a patient, `choose` one, `launch` an app."""
        if not self._desk.browsers.is_own_form(request):
            return self._desk.stale_form()
        visitor = self._allowed()
        if isinstance(visitor, Response):
            return visitor
        action = request.form.get("action")
        if action == "search":
            return self._patients(visitor, request.form.get("search", "")[:LONGEST_SEARCH])
        patient = self._desk.records.patient(request.form.get("patient", ""))
        if patient is None:
            return self._patients(visitor, problem="Choose one of the patients.")
        return self._launch(visitor, patient) if action == "launch" else self._apps(visitor, patient)

    def _allowed(self) -> Visitor | Response:
        visitor = self._desk.visitor()
        if visitor is None:
            return self._desk.to_sign_in("launch")
        if visitor.user.role != "practitioner":
            text = "You can open an app at its own address, and see here which apps you have connected."
            return self._desk.error(403, "Only practitioners start apps here", text, visitor=visitor)
        return visitor

    def _launch(self, visitor: Visitor, patient: PatientLine) -> Response:
        target = next(
            (pair for pair in self._launchable() if f"{pair[0].client_id} {pair[1]}" == request.form.get("app")), None
        )
        if target is None:
            return self._apps(visitor, patient, "Choose one of the apps.", "app-1")
        encounter = request.form.get("encounter", NO_ENCOUNTER)
        if encounter != NO_ENCOUNTER and self._desk.records.encounter(encounter, patient.id) is None:
            return self._apps(visitor, patient, "Choose one of the visits, or none of them.", "visit-0")
        intent = request.form.get("intent", "").strip()
        if intent and not _INTENT.fullmatch(intent):
            return self._apps(visitor, patient, "An intent is a short word such as reconcile-medications.", "intent")
        context = LaunchContext(
            patient=patient.id,
            encounter=None if encounter == NO_ENCOUNTER else encounter,
            need_patient_banner=request.form.get("banner") == "yes",
            intent=intent or None,
        )
        client, launch_uri = target
        handle = self._desk.launches.begin(client.client_id, visitor.session, context)
        return see_other(launch_address(launch_uri, self._services.settings.fhir_base, handle))

    def _launchable(self) -> list[tuple[Client, str]]:
        clients = self._services.store.clients.all()
        return [(client, uri) for client in clients if client.is_active for uri in client.launch_uris]

    def _patients(self, visitor: Visitor, search: str | None = None, problem: str | None = None) -> Response:
        lines = list(self._desk.records.find_patients(read_search(search or ""), visitor.user))
        return self._desk.show(
            "launch_patient.html",
            visitor,
            status=400 if problem else 200,
            problem=problem,
            search=search or "",
            has_searched=search is not None,
            lines=lines[:SHOWN_AT_ONCE],
            has_more=len(lines) > SHOWN_AT_ONCE,
        )

    def _apps(
        self, visitor: Visitor, patient: PatientLine, problem: str | None = None, field: str | None = None
    ) -> Response:
        encounters: list[EncounterLine] = list(self._desk.records.encounters(patient.id))[:SHOWN_AT_ONCE]
        launchable = self._launchable()
        return self._desk.show(
            "launch_app.html",
            visitor,
            status=400 if problem else 200,
            leads_to=[uri for client, launch_uri in launchable for uri in (launch_uri, *client.redirect_uris)],
            problem=problem,
            problem_field=field,
            patient=patient,
            lines=encounters,
            no_encounter=NO_ENCOUNTER,
            apps=launchable,
            given=request.form,
        )


def add_launch_view(blueprint: Blueprint, launch_apps: LaunchApps) -> None:
    """Add the launch page to our pages."""
    blueprint.add_url_rule("/launch", "launch", launch_apps.page, methods=["GET"])
    blueprint.add_url_rule("/launch", "take-launch", launch_apps.take, methods=["POST"])
