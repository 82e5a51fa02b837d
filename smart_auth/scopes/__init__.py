"""Scopes: what their texts mean, which covers which, and what is granted of what is asked for. Pure."""

from smart_auth.scopes.constraints import CONSTRAINTS, constraint_fault
from smart_auth.scopes.coverage import beyond, covered, covers, meet
from smart_auth.scopes.grammar import (
    EVERY_TYPE,
    FHIR_USER,
    LAUNCH,
    LETTERS,
    LEVELS,
    OFFLINE,
    ONLINE,
    OPENID,
    PROFILE,
    Level,
    ResourceScope,
    Scopes,
    UnknownScope,
    parse,
    parse_scope,
    spelled,
)
from smart_auth.scopes.granting import Granted, granted

__all__ = [
    "CONSTRAINTS",
    "EVERY_TYPE",
    "FHIR_USER",
    "LAUNCH",
    "LETTERS",
    "LEVELS",
    "OFFLINE",
    "ONLINE",
    "OPENID",
    "PROFILE",
    "Granted",
    "Level",
    "ResourceScope",
    "Scopes",
    "UnknownScope",
    "beyond",
    "constraint_fault",
    "covered",
    "covers",
    "granted",
    "meet",
    "parse",
    "parse_scope",
    "spelled",
]
