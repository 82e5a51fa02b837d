"""Terminology: value sets, code systems, and what can be asked about them. Pure; who holds the resources hands them in.

terminology              `Terminology`, what can be asked; `DefinedTerminology` works it out from definitions
r4, held                 sources of definitions: R4's own, and resources that somebody holds
compose, filters         a value set's definition → its `Expansion`
code_system              codes, and which subsumes which
faults                   what is raised where there is no answer
"""

from __future__ import annotations

from resources.terminology.code_system import CodeSystem, Concept
from resources.terminology.code_system_resource import code_system_of
from resources.terminology.expansion import ExpandedCode, Expansion
from resources.terminology.faults import CannotExpand, TerminologyFault, UnknownCode, UnknownSystem
from resources.terminology.held import HeldDefinitions, held_definitions
from resources.terminology.r4 import R4, R4Definitions
from resources.terminology.terminology import DefinedTerminology, Source, Terminology

__all__ = [
    "R4",
    "CannotExpand",
    "CodeSystem",
    "Concept",
    "DefinedTerminology",
    "ExpandedCode",
    "Expansion",
    "HeldDefinitions",
    "R4Definitions",
    "Source",
    "Terminology",
    "TerminologyFault",
    "UnknownCode",
    "UnknownSystem",
    "code_system_of",
    "held_definitions",
]
