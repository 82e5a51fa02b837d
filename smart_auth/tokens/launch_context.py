"""The launch context in answers: which patient, which encounter and what else an app is to work with.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#launch-context-arrives-with-your-access_token
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smart_auth.model import LaunchContext
from smart_auth.scopes import parse
from smart_auth.settings import AuthSettings

# These have members of their own, so they are not repeated in fhirContext as what the app was launched for.
_WITH_OWN_MEMBER = ("Patient", "Encounter")


def context_members(context: LaunchContext, settings: AuthSettings) -> dict[str, Any]:
    """The members of a token response or an introspection that tell the context; only those that there are."""
    members = {
        "patient": context.patient,
        "encounter": context.encounter,
        "fhirContext": [dict(item) for item in context.fhir_context if not _is_repeated(item)] or None,
        "need_patient_banner": context.need_patient_banner,
        "intent": context.intent,
        "tenant": context.tenant,
        # Told to what was launched from within our pages, which it may want to look like.
        "smart_style_url": None if context.need_patient_banner is None else settings.smart_style_url,
    }
    return {name: value for name, value in members.items() if value is not None}


def needs_patient(scope: str) -> bool:
    """Whether a scope parameter can be granted only together with a patient."""
    return any(each.level == "patient" for each in parse(scope).resources)


def _is_repeated(item: Mapping[str, Any]) -> bool:
    type_name = item.get("type") or str(item.get("reference", "")).partition("/")[0]
    return type_name in _WITH_OWN_MEMBER and item.get("role", "launch") == "launch"
