"""Why a question about codes has no answer: values that are raised, for the edge to turn into a `Problem`.

    TerminologyFault         an issue code and a whole sentence
    ├── UnknownSystem        no such code system is held, or none of its codes are
    ├── UnknownCode          the code system has no such code
    └── CannotExpand         a value set whose codes cannot be told: which system and which filter stand in the way

https://hl7.org/fhir/R4/valueset-issue-type.html
"""

from __future__ import annotations

from resources.problem import quoted


class TerminologyFault(Exception):
    """code: from http://hl7.org/fhir/issue-type. text: a sentence for the client, which quotes what it is about."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(text)


class UnknownSystem(TerminologyFault):
    def __init__(self, system: str, why: str = "is not held here") -> None:
        self.system = system
        super().__init__("not-found", f"The code system {quoted(system)} {why}.")


class UnknownCode(TerminologyFault):
    def __init__(self, system: str, code: str) -> None:
        self.system = system
        self.unknown = code
        super().__init__("code-invalid", f"The code {quoted(code)} is not in the code system {quoted(system)}.")


class CannotExpand(TerminologyFault):
    """value_set: its URL, "" where it has none. system, filter: what stands in the way, where it is one of these."""

    def __init__(
        self,
        value_set: str,
        why: str,
        *,
        code: str = "not-supported",
        system: str | None = None,
        filter: str | None = None,
    ) -> None:
        self.value_set = value_set
        self.system = system
        self.filter = filter
        name = f"The value set {quoted(value_set)}" if value_set else "The value set"
        super().__init__(code, f"{name} cannot be expanded: {why}.")
