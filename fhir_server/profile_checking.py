"""What `meta.profile` claims, checked when a resource is written, as FHIR_PROFILES says.

https://hl7.org/fhir/R4/resource.html#Meta.profile
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fhir_server.settings_table import ProfileMode
from resources.problem import Issue
from resources.profiles import Profiles, check_profiles

ClaimsCheck = Callable[[dict[str, Any], "str | None"], list[Issue]]
"""(resource, FHIRPath of where it stands) → the issues of its claims."""


def claims_check(mode: ProfileMode, profiles: Profiles) -> ClaimsCheck | None:
    """The check of what a resource claims; None where writes are not to be checked.

    `warn`: all issues are warnings. `enforce`: a breach is an error, and so is a claim that cannot be checked because the
    profile is not held: what is stored then is what it says to be.
    """
    if mode == "off":
        return None
    enforces = mode == "enforce"

    def check(tree: dict[str, Any], at: str | None) -> list[Issue]:
        if "profile" not in tree.get("meta", ()):
            return []
        issues = check_profiles(tree, profiles, unknown="error" if enforces else "warning", at=at)
        return issues if enforces else [replace(issue, severity="warning") for issue in issues]

    return check
