"""The records that the checks of a profile work with: made by the first that asks, two that differ and one of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.answers import eventually
from conformance.check import expect
from conformance.rest_context import RestContext
from conformance.us_core import care, people, results
from conformance.us_core.people import About, Maker, ref
from conformance.us_core.plans import Plan

MAKERS: Mapping[str, Maker] = {**people.MAKERS, **care.MAKERS, **results.MAKERS}


@dataclass(frozen=True, slots=True)
class Records:
    """sent: what was written, made: what the server answered, in the same order. The first is the one that is searched for,
    the second differs from it, and the third, where there is one, is like the first and about another patient.
    """

    sent: tuple[Mapping[str, Any], ...]
    made: tuple[Mapping[str, Any], ...]

    @property
    def first(self) -> Mapping[str, Any]:
        return self.made[0]

    def path(self, number: int = 0) -> str:
        """`Type/id`."""
        return f"{self.made[number]['resourceType']}/{self.made[number]['id']}"


def about(context: RestContext) -> About:
    """What the records of all profiles refer to, made once."""
    return context.shared("us_core.about", _about)


def _about(context: RestContext) -> About:
    def make(resource: dict[str, Any]) -> str:
        return people.made_path(context, resource)

    def visit(patient: str) -> dict[str, Any]:
        kind = {"system": f"{people.TERMS}/v3-ActCode", "code": "AMB"}
        return {"resourceType": "Encounter", "status": "finished", "class": kind, "subject": ref(patient)}

    patient, other = (make(people.patient(context, number)) for number in (0, 1))
    return About(
        context,
        patient,
        other,
        (make(visit(patient)), make(visit(patient))),
        (make(people.practitioner(context, 0)), make(people.practitioner(context, 1))),
        make(people.organization(context, 0)),
        (make(people.location(context, 0)), make(people.location(context, 1))),
    )


def records(context: RestContext, plan: Plan) -> Records:
    """The records of a profile. Raises a Failure where the server does not take them."""
    return context.shared(f"us_core.{plan.version}.{plan.name}", lambda it: _make(it, plan))


def _make(context: RestContext, plan: Plan) -> Records:
    known = about(context)
    maker = MAKERS[plan.type_name]
    trees = [maker(known, plan, 0), maker(known, plan, 1)]
    if "patient" in plan.parameters:
        trees.append(maker(replace(known, patient=known.other), plan, 0))
    sent = tuple({"resourceType": plan.type_name, **tree} for tree in trees)
    made = tuple(context.records.create(tree) for tree in sent)
    if "search-type" in context.statement.interactions(plan.type_name):
        _await(context, plan, made)
    return Records(sent, made)


def _await(context: RestContext, plan: Plan, made: tuple[Mapping[str, Any], ...]) -> None:
    ids = {str(each["id"]) for each in made}

    def look() -> None:
        found = {str(each["id"]) for each in context.api.found(f"{plan.type_name}?_id={','.join(sorted(ids))}")}
        expect(found == ids, f"A search by _id finds {len(found)} of {len(ids)} records.")

    eventually(context, look)
