"""The codes that AuditEvents speak in.

https://hl7.org/fhir/R4/auditevent.html#tx, and for what R4 has no system for, the Basic Audit Log Patterns of IHE:
https://profiles.ihe.net/ITI/BALP/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Coding = dict[str, str]
Action = Literal["C", "R", "U", "D", "E"]

_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_EVENT_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_RESTFUL: Final = "http://hl7.org/fhir/restful-interaction"
_ENTITY_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_OBJECT_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_SOURCE_TYPE: Final = "http://terminology.hl7.org/CodeSystem/security-source-type"
_BALP_ENTITY: Final = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_RESOURCE_TYPES: Final = "http://hl7.org/fhir/resource-types"


def _coding(system: str, code: str, display: str) -> Coding:
    return {"system": system, "code": code, "display": display}


REST: Final = _coding(_EVENT_TYPE, "rest", "RESTful Operation")
USER_AUTHENTICATION: Final = _coding(_DICOM, "110114", "User Authentication")
SECURITY_ALERT: Final = _coding(_DICOM, "110113", "Security Alert")

AUDIT_LOG_USED: Final = _coding(_DICOM, "110101", "Audit Log Used")

LOGIN: Final = _coding(_DICOM, "110122", "Login")
LOGOUT: Final = _coding(_DICOM, "110123", "Logout")
SECURITY_CONFIGURATION: Final = _coding(_DICOM, "110129", "Security Configuration")

PERSON: Final = _coding(_ENTITY_TYPE, "1", "Person")
SYSTEM_OBJECT: Final = _coding(_ENTITY_TYPE, "2", "System Object")
PATIENT_ROLE: Final = _coding(_OBJECT_ROLE, "1", "Patient")
RESOURCE_ROLE: Final = _coding(_OBJECT_ROLE, "4", "Domain Resource")
QUERY_ROLE: Final = _coding(_OBJECT_ROLE, "24", "Query")
REQUEST_ID: Final = _coding(_BALP_ENTITY, "XrequestId", "X-Request-Id")

HUMAN: Final = _coding("http://terminology.hl7.org/CodeSystem/extra-security-role-type", "humanuser", "human user")
APPLICATION: Final = _coding(_DICOM, "110150", "Application")

APPLICATION_SERVER: Final = _coding(_SOURCE_TYPE, "4", "Application Server")
SECURITY_SERVER: Final = _coding(_SOURCE_TYPE, "6", "Security Server")

SECURITY: Final[Mapping[str, tuple[Coding, Coding | None, Action]]] = {
    "sign-in": (USER_AUTHENTICATION, LOGIN, "E"),
    "sign-out": (USER_AUTHENTICATION, LOGOUT, "E"),
    "consent": (USER_AUTHENTICATION, None, "E"),
    "token-issue": (USER_AUTHENTICATION, None, "C"),
    "token-refresh": (USER_AUTHENTICATION, None, "C"),
    "token-revoke": (USER_AUTHENTICATION, None, "D"),
    "replay": (SECURITY_ALERT, None, "E"),
    "denied": (SECURITY_ALERT, None, "E"),
    "audit-archive": (AUDIT_LOG_USED, None, "D"),
    "client-change": (SECURITY_ALERT, SECURITY_CONFIGURATION, "U"),
}
"""Code of an event of the authorization server → type, subtype besides its own code, action."""

INTERACTIONS: Final[Mapping[str, tuple[str, Action]]] = {
    "read": ("read", "R"),
    "vread": ("vread", "R"),
    "create": ("create", "C"),
    "update": ("update", "U"),
    "conditional_update": ("update", "U"),
    "patch": ("patch", "U"),
    "conditional_patch": ("patch", "U"),
    "delete": ("delete", "D"),
    "conditional_delete": ("delete", "D"),
    "search": ("search-type", "E"),
    "search_system": ("search-system", "E"),
    "history": ("history", "R"),
    "bundle": ("transaction", "E"),
    "everything": ("operation", "R"),
    "match": ("operation", "E"),
    "meta": ("operation", "R"),
    "meta_add": ("operation", "U"),
    "meta_delete": ("operation", "U"),
    "expand": ("operation", "E"),
    "validate": ("operation", "E"),
    "validate_code": ("operation", "E"),
    "lookup": ("operation", "E"),
    "expunge": ("operation", "D"),
    "reindex": ("operation", "E"),
    "reindex_progress": ("operation", "E"),
}
"""Interaction → its code, but for the level of a history, and action."""


def interaction_code(code: str) -> Coding:
    """A code of http://hl7.org/fhir/restful-interaction."""
    return {"system": _RESTFUL, "code": code}


def resource_type(name: str) -> Coding:
    """The name of a resource type as a code."""
    return {"system": _RESOURCE_TYPES, "code": name}


def own_code(base_url: str, code: str) -> Coding:
    """A code of ours, for what no public system tells apart: the events of the authorization server, `denied`."""
    return {"system": f"{base_url}/CodeSystem/audit-event", "code": code}
