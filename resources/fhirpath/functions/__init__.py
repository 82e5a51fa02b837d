"""The functions of the language, one module a group; importing them fills `registry.FUNCTIONS`.

http://hl7.org/fhirpath/N1/#functions
"""

from . import boundaries, conversion, existence, fhir, filtering, math, strings, subsetting, tree, utility
from .registry import FUNCTIONS, Compiled, Evaluate, Function, Truth, of_items, of_truth

__all__ = [
    "FUNCTIONS",
    "Compiled",
    "Evaluate",
    "Function",
    "Truth",
    "boundaries",
    "conversion",
    "existence",
    "fhir",
    "filtering",
    "math",
    "of_items",
    "of_truth",
    "strings",
    "subsetting",
    "tree",
    "utility",
]
