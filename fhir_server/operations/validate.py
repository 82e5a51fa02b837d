"""$validate: all that is wrong with a resource, without storing it.

https://hl7.org/fhir/R4/resource-operation-validate.html

The answer is 200 with an OperationOutcome whatever is found; only a request that cannot be understood is refused.
"""

from __future__ import annotations

from typing import Any, Final

from fhir_server.call import Answer, Call
from fhir_server.operations.arguments import arguments_of, subject_of
from fhir_server.prepare_write import deletion, faults_in
from fhir_server.services import Services
from resources.document import parse_document
from resources.problem import Issue, Problem, problem, quoted
from resources.profiles import check_profiles
from resources.validation import errors_of

MODES: Final = ("create", "update", "delete", "profile")
"""https://hl7.org/fhir/R4/valueset-resource-validation-mode.html"""


def validate(call: Call, services: Services) -> Answer:
    """Validate the resource that is sent, or else the stored one that the address names.

    Against the base definitions, then against the profile of the request and those in `meta.profile`. With a mode, whether
    it could be created, updated or deleted is told too. Raises a 400 `Problem` for a request without a resource to validate,
    and for an unknown mode; 404 and 410 as a read does.
    """
    arguments = arguments_of(call)
    mode, given = arguments.one("mode"), arguments.one("resource")
    profile = arguments.one("profile")
    if mode is not None and mode not in MODES:
        raise problem(400, "value", f"The mode {quoted(mode)} is not known; known are {', '.join(MODES)}.")
    if mode == "profile" and profile is None:
        raise problem(400, "required", "The mode 'profile' needs the parameter 'profile'.")
    if mode == "delete":
        return _answer(_faults_of_delete(call, services), "The resource may be deleted.")
    tree = given if given is not None else _stored(call, services)
    if tree["resourceType"] != call.type:
        text = f"The resource is a {tree['resourceType']}, but the URL names {call.type}."
        raise problem(400, "invalid", text, tree["resourceType"])
    issues = _faults_of_mode(mode, tree, call) + faults_in(tree)
    if not errors_of(issues):
        asked = () if profile is None else (profile,)
        issues += check_profiles(tree, services.profiles, asked=asked)
    return _answer(issues, "The resource is valid.")


def _stored(call: Call, services: Services) -> dict[str, Any]:
    if call.id is None:
        raise problem(400, "required", "There is no resource to validate: send one, or name a stored one in the URL.")
    raw = subject_of(call, services).raw
    assert raw is not None  # deleted ones have raised
    return parse_document(raw).tree


def _faults_of_mode(mode: str | None, tree: dict[str, Any], call: Call) -> list[Issue]:
    own = tree.get("id")
    if mode == "update" and own is None:
        return [Issue("error", "required", "For an update, the resource needs an id.", f"{call.type}.id")]
    if call.id is not None and mode != "create" and own is not None and own != call.id:
        text = f"The resource's id is {quoted(own)}, but the URL names '{call.id}'."
        return [Issue("error", "value", text, f"{call.type}.id")]
    return []


def _faults_of_delete(call: Call, services: Services) -> list[Issue]:
    if call.id is None:
        raise problem(400, "invalid", "The mode 'delete' is about a stored resource, which the URL must name.")
    assert call.type is not None  # the route has it
    subject_of(call, services)
    try:
        deletion(call.type, call.id, services.context(), None)
    except Problem as fault:
        return fault.issues
    return []


def _answer(issues: list[Issue], nothing_found: str) -> Answer:
    if not errors_of(issues):
        issues = [*issues, Issue("information", "informational", nothing_found)]
    return Answer(200, issues=issues)
