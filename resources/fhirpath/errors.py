"""What can go wrong with a FHIRPath expression.

http://hl7.org/fhirpath/N1/
"""

from __future__ import annotations


class FhirPathError(Exception):
    """An evaluation that cannot go on: wrong operand types, more than one item where one is expected, ..."""


class FhirPathSyntaxError(FhirPathError):
    """A text that is not FHIRPath. `position` counts characters from 0; `expression` is the whole text."""

    def __init__(self, message: str, expression: str, position: int) -> None:
        super().__init__(f"{message} at position {position} of {expression!r}")
        self.expression = expression
        self.position = position
