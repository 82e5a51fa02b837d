"""`/auth/continue` and the forms of its steps: the patient picker, the encounter picker, consent.

What a form sends counts only if the transaction stands at its step, and every id is checked against what the user may see.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from smart_auth.people.authorize_view import Authorization, Stage
from smart_auth.people.consent_form import consent_form
from smart_auth.people.desk import Desk
from smart_auth.people.flow import Step
from smart_auth.people.records import SHOWN_AT_ONCE, PatientLine, may_see, own_patients, read_search
from smart_auth.people.redirects import shown_target
from smart_auth.people.rendering import span
from smart_auth.store.digests import digest_of

NO_ENCOUNTER = "none"
LONGEST_SEARCH = 200


class Steps:
    """The pages between sign-in and the answer to the app."""

    def __init__(self, desk: Desk, authorization: Authorization) -> None:
        self._desk = desk
        self._authorization = authorization

    def go_on(self) -> Response:
        """The page of the step at which a transaction stands."""
        stage = self._authorization.stage(request.args.get("tx"))
        if isinstance(stage, Response):
            return stage
        if stage.step == "patient":
            return self._patient_page(stage)
        if stage.step == "encounter":
            return self._encounter_page(stage)
        if stage.step == "consent":
            return self._consent_page(stage)
        return self._authorization.finish(stage, stage.transaction.request.scope)

    def take_patient(self) -> Response:
        """The form of the patient picker: `search`, `choose`; and `change`, from the steps after it."""
        action = request.form.get("action")
        stage = self._stage("patient", *(("encounter", "consent") if action == "change" else ()))
        if isinstance(stage, Response):
            return stage
        if action == "change":
            if may_change_patient(stage):
                self._desk.transactions.save(stage.name, stage.transaction, patient=None, encounter=None)
            return self._on(stage)
        if action == "search":
            return self._patient_page(stage, request.form.get("search", "")[:LONGEST_SEARCH])
        chosen = request.form.get("patient", "")
        if not may_see(stage.visitor.user, chosen) or self._desk.records.patient(chosen) is None:
            return self._patient_page(stage, problem="Choose one of the patients.")
        self._desk.transactions.save(stage.name, stage.transaction, patient=chosen, encounter=None)
        return self._on(stage)

    def take_encounter(self) -> Response:
        """The form of the encounter picker: the id of a visit of the patient, or NO_ENCOUNTER."""
        stage = self._stage("encounter")
        if isinstance(stage, Response):
            return stage
        chosen, patient = request.form.get("encounter", ""), stage.transaction.patient or ""
        if chosen != NO_ENCOUNTER and self._desk.records.encounter(chosen, patient) is None:
            return self._encounter_page(stage, problem="Choose one of the visits, or none of them.")
        chosen = "" if chosen == NO_ENCOUNTER else chosen
        self._desk.transactions.save(stage.name, stage.transaction, encounter=chosen)
        return self._on(stage)

    def take_consent(self) -> Response:
        """The form of the consent page: `allow` with what was ticked, or `deny`."""
        stage = self._stage("consent")
        if isinstance(stage, Response):
            return stage
        if request.form.get("decision") != "allow":
            return self._authorization.refuse_consent(stage)
        if request.form.get("about") != about(stage):  # chosen anew in another tab since this page was shown
            return self._on(stage)
        scope = stage.transaction.request.scope
        ticked = request.form.getlist("grant")
        agreed = consent_form(scope).agreed(scope, ticked)
        if not agreed:
            problem = "Tick at least one thing that the app may do, or choose Deny."
            return self._consent_page(stage, problem=problem, ticked=ticked)
        return self._authorization.finish(stage, agreed)

    def _stage(self, *steps: Step) -> Stage | Response:
        """The stage that a posted form belongs to; a response if it is not ours, or the transaction stands elsewhere."""
        if not self._desk.browsers.is_own_form(request):
            return self._desk.stale_form()
        stage = self._authorization.stage(request.form.get("tx"))
        if isinstance(stage, Response) or stage.step in steps:
            return stage
        return self._on(stage)

    def _on(self, stage: Stage) -> Response:
        return self._desk.to_page("continue", tx=stage.name)

    def _patient_page(self, stage: Stage, search: str | None = None, problem: str | None = None) -> Response:
        user = stage.visitor.user
        is_search = user.role == "practitioner"
        if is_search:
            lines = list(self._desk.records.find_patients(read_search(search or ""), user))
        else:
            found = [self._desk.records.patient(patient) for patient in own_patients(user)]
            lines = [line for line in found if line is not None]
        return self._show(
            "patient.html",
            stage,
            problem=problem,
            is_search=is_search,
            search=search or "",
            has_searched=search is not None,
            lines=lines[:SHOWN_AT_ONCE],
            has_more=len(lines) > SHOWN_AT_ONCE,
        )

    def _encounter_page(self, stage: Stage, problem: str | None = None) -> Response:
        patient = self._patient(stage)
        lines = list(self._desk.records.encounters(patient.id))[:SHOWN_AT_ONCE] if patient else []
        return self._show(
            "encounter.html", stage, problem=problem, patient=patient, lines=lines, no_encounter=NO_ENCOUNTER
        )

    def _consent_page(self, stage: Stage, problem: str | None = None, ticked: list[str] | None = None) -> Response:
        services, transaction = self._desk.services, stage.transaction
        patient = self._patient(stage)
        encounter = (
            self._desk.records.encounter(transaction.encounter, patient.id)
            if patient and transaction.encounter
            else None
        )
        form = consent_form(transaction.request.scope)
        now = services.clock()
        return self._show(
            "consent.html",
            stage,
            problem=problem,
            about=about(stage),
            form=form,
            ticked=ticked,
            patient=patient,
            is_own=patient is not None and stage.visitor.user.fhir_user == f"Patient/{patient.id}",
            encounter=encounter,
            may_change_patient=may_change_patient(stage),
            target=shown_target(transaction.request.redirect_uri),
            not_offered=len(transaction.request.not_offered),
            brief=span(services.settings.access_token_seconds),
            offline_until=now + services.settings.offline_seconds * 1000,
            online_hours=services.settings.online_seconds // 3600,
        )

    def _patient(self, stage: Stage) -> PatientLine | None:
        chosen = stage.transaction.patient
        return self._desk.records.patient(chosen) if chosen else None

    def _show(self, template: str, stage: Stage, problem: str | None, **values: Any) -> Response:
        return self._desk.show(
            template,
            stage.visitor,
            status=400 if problem else 200,
            leads_to=[stage.transaction.request.redirect_uri],
            tx=stage.name,
            client=stage.client,
            problem=problem,
            **values,
        )


def about(stage: Stage) -> str:
    """Whose records a consent page is about, as a text that changes with it."""
    return digest_of(f"{stage.transaction.patient}/{stage.transaction.encounter}")


def may_change_patient(stage: Stage) -> bool:
    """Whether the user chose the patient, and so may choose again."""
    user = stage.visitor.user
    has_choice = user.role == "practitioner" or len(own_patients(user)) > 1
    return (
        has_choice
        and stage.transaction.patient is not None
        and (stage.transaction.launch is None or stage.transaction.launch.patient is None)
    )


def add_steps_view(blueprint: Blueprint, steps: Steps) -> None:
    """Add the steps to our pages."""
    blueprint.add_url_rule("/continue", "continue", steps.go_on, methods=["GET"])
    blueprint.add_url_rule("/patient", "patient", steps.take_patient, methods=["POST"])
    blueprint.add_url_rule("/encounter", "encounter", steps.take_encounter, methods=["POST"])
    blueprint.add_url_rule("/consent", "consent", steps.take_consent, methods=["POST"])
