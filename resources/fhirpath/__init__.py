"""FHIRPath: expressions compiled once to Python closures and evaluated over parsed JSON.

http://hl7.org/fhirpath/N1/ and https://hl7.org/fhir/R4/fhirpath.html
"""

from .corrections import CORRECTIONS, compile_invariant
from .errors import FhirPathError, FhirPathSyntaxError
from .expression import Expression, compile
from .nodes import Node
from .scope import Budget

__all__ = [
    "CORRECTIONS",
    "Budget",
    "Expression",
    "FhirPathError",
    "FhirPathSyntaxError",
    "Node",
    "compile",
    "compile_invariant",
]
