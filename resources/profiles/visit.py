"""One check of a resource against profiles: what it has found, and which resource it is in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from resources.definitions import resource_types
from resources.fhirpath import Node
from resources.problem import Issue, Severity
from resources.profiles.items import Found, Item
from resources.profiles.structure import core_type
from resources.references import parse_conditional, parse_literal
from resources.terminology import Expansion, TerminologyFault
from resources.visit import Place, expression


class ElementCheck(Protocol):
    """The rules that a profile states for one element."""

    def check_item(self, item: Item, visit: ProfileVisit) -> None:
        """Report what is wrong with one value."""


class Profile(Protocol):
    """A profile fit to check with. rules: None where nothing can be checked, for which `fault` has the sentence."""

    @property
    def url(self) -> str: ...

    @property
    def type(self) -> str: ...

    @property
    def rules(self) -> ElementCheck | None: ...

    @property
    def fault(self) -> str | None: ...


class Profiles(Protocol):
    """Who holds profiles, and the value sets that they bind elements to."""

    def profile(self, canonical: str) -> Profile | None:
        """The profile of a canonical URL, perhaps with `|version`; None where it is not held."""

    def value_set(self, canonical: str) -> Expansion | None:
        """The codes of a value set; None where it is not held. Raises a `TerminologyFault` where they cannot be told."""


class ProfileVisit:
    """root_resource: FHIRPath's `%rootResource`; resource: the innermost one, `%resource`.

    once: sentences that need not be said again. running: (id() of a value, profile) of the checks that are under way.
    """

    __slots__ = (
        "_conforming",
        "_entries",
        "_outermost",
        "issues",
        "once",
        "profiles",
        "resource",
        "root_resource",
        "running",
    )

    def __init__(
        self,
        resource: dict[str, Any],
        root_resource: dict[str, Any],
        profiles: Profiles,
        outer: ProfileVisit | None = None,
    ) -> None:
        self.resource = resource
        self.root_resource = root_resource
        self.profiles = profiles
        self.issues: list[Issue] = []
        self.running: set[tuple[int, str]] = set() if outer is None else outer.running
        self.once: set[str] = set() if outer is None else outer.once
        self._conforming: dict[tuple[int, str], bool] = {} if outer is None else outer._conforming
        self._outermost: ProfileVisit = self if outer is None else outer._outermost
        self._entries: dict[str, dict[str, Any]] | None = None

    def inside(self, resource: dict[str, Any], is_contained: bool) -> ProfileVisit:
        """The visit of a resource within this one; its issues join these ones."""
        inner = ProfileVisit(resource, self.root_resource if is_contained else resource, self.profiles, self)
        inner.issues = self.issues
        return inner

    def report(self, severity: Severity, place: Place, code: str, text: str) -> None:
        self.issues.append(Issue(severity, code, text, expression(place)))

    def warn_once(self, place: Place, code: str, text: str) -> None:
        """Report that something is not checked, at the first place where it would have been."""
        if text not in self.once:
            self.once.add(text)
            self.report("warning", place, code, text)

    def error(self, place: Place, code: str, text: str) -> None:
        self.report("error", place, code, text)

    def conforms(self, item: Item, canonical: str) -> bool:
        """Whether a value follows a profile. One that is not held is taken to be followed."""
        value, _, type_name, _ = item
        core = core_type(canonical)
        if core is not None:
            return core in ("Resource", "DomainResource") or type_name in (None, core)
        key = (id(value), canonical)
        known = self._conforming.get(key)
        if known is not None:
            return known
        self._conforming[key] = True  # while it is being found out, for resources that point at each other
        found = self._follows(item, canonical)
        self._conforming[key] = found
        return found

    def _follows(self, item: Item, canonical: str) -> bool:
        profile = self.profiles.profile(canonical)
        if profile is None or profile.rules is None:
            return True
        value, _, type_name, _ = item
        is_resource = isinstance(value, dict) and "resourceType" in value
        if is_resource and type_name != profile.type:
            return False
        trial = ProfileVisit(value if is_resource else self.resource, self.root_resource, self.profiles, self)
        profile.rules.check_item(item, trial)
        return not any(issue.is_error for issue in trial.issues)

    def target(self, reference: dict[str, Any]) -> Found | None:
        """What a Reference points to: a resource at hand, else as much as its text tells, else None."""
        text = reference.get("reference")
        if isinstance(text, str):
            at_hand = self._at_hand(text)
            if at_hand is not None:
                name = at_hand.get("resourceType")
                return Found(at_hand, name if isinstance(name, str) else None)
            literal = parse_literal(text)
            conditional = parse_conditional(text) if literal is None else None
            name = literal.type if literal is not None else conditional[0] if conditional is not None else None
            if name is not None:
                return Found({"resourceType": name}, name, is_whole=False)
        stated = reference.get("type")
        if isinstance(stated, str) and stated in resource_types():
            return Found({"resourceType": stated}, stated, is_whole=False)
        return None

    def codes_of(self, canonical: str) -> Mapping[str, frozenset[str]] | None:
        """For FHIRPath's memberOf(): system → codes of a value set, None where they are not all known."""
        try:
            found = self.profiles.value_set(canonical)
        except TerminologyFault:
            return None
        return None if found is None or found.partial else found.codes

    def resolve(self, text: str) -> Node | None:
        """For FHIRPath's resolve(): a resource at hand."""
        found = self._at_hand(text)
        return None if found is None else Node(found, found.get("resourceType"))

    def _at_hand(self, text: str) -> dict[str, Any] | None:
        if text.startswith("#"):
            return self.root_resource if text == "#" else _contained(self.root_resource, text[1:])
        outermost = self._outermost
        if outermost._entries is None:
            outermost._entries = dict(_entries(outermost.root_resource))
        return outermost._entries.get(text)


def _entries(root: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The resources of a Bundle, by all the texts by which a reference may name them."""
    entries = root.get("entry") if root.get("resourceType") == "Bundle" else None
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            if isinstance(entry.get("fullUrl"), str):
                yield entry["fullUrl"], resource
            yield f"{resource.get('resourceType')}/{resource.get('id')}", resource


def _contained(resource: dict[str, Any], identifier: str) -> dict[str, Any] | None:
    contained = resource.get("contained")
    for inner in contained if isinstance(contained, list) else ():
        if isinstance(inner, dict) and inner.get("id") == identifier:
            return inner
    return None
