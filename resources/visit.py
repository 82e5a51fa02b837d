"""One walk through a resource: where it is, what it has found, and which resource it is in."""

from __future__ import annotations

from typing import Any

from resources.problem import Issue, Severity

Place = tuple["Place | None", str, int]
"""Where a value stands: the place of the object that holds it, the element's name, its index in an array or -1."""


def expression(place: Place) -> str:
    """A place as FHIRPath: `Patient.name[0].given[1]`."""
    parts: list[str] = []
    at: Place | None = place
    while at is not None:
        at, name, index = at
        parts.append(name if index < 0 else f"{name}[{index}]")
    return ".".join(reversed(parts))


class Visit:
    """The state of one validation, within one resource.

    resource: the innermost resource, FHIRPath's `%resource`; root_resource: its container, `%rootResource`.
    contained: id → type of the resources contained in the root.
    unevaluated: issues of rules that could not be evaluated; they count only where nothing else explains why.
    """

    __slots__ = ("contained", "issues", "resource", "root_resource", "unevaluated")

    def __init__(self, resource: dict[str, Any], root_resource: dict[str, Any], outer: Visit | None = None) -> None:
        self.resource = resource
        self.root_resource = root_resource
        self.issues: list[Issue] = [] if outer is None else outer.issues
        self.unevaluated: list[Issue] = [] if outer is None else outer.unevaluated
        # Looked up once for all that is in the same root, of which there may be thousands.
        is_same_root = outer is not None and outer.root_resource is root_resource
        self.contained: dict[str, str] = outer.contained if outer and is_same_root else contained_types(root_resource)

    def inside(self, resource: dict[str, Any], is_contained: bool) -> Visit:
        """The visit of a resource within this one: contained in it, or carried by it (`Bundle.entry.resource`)."""
        return Visit(resource, self.root_resource if is_contained else resource, self)

    def error(self, place: Place, code: str, text: str) -> None:
        self.report("error", place, code, text)

    def report(self, severity: Severity, place: Place, code: str, text: str) -> None:
        self.issues.append(Issue(severity, code, text, expression(place)))


_NOTHING_CONTAINED: dict[str, str] = {}


def contained_types(resource: dict[str, Any]) -> dict[str, str]:
    """id → resource type of what a resource contains, as far as it is well formed."""
    contained = resource.get("contained")
    if not isinstance(contained, list):
        return _NOTHING_CONTAINED
    return {
        str(inner["id"]): str(inner.get("resourceType"))
        for inner in contained
        if isinstance(inner, dict) and isinstance(inner.get("id"), str)
    }
