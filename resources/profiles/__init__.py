"""Profiles: StructureDefinitions that say more than the base definitions. Pure; who holds them hands them in.

structure                a StructureDefinition → a tree of elements and slices
compile                  the tree → rules, for what it adds to the base definitions
element_checks           one closure for each thing that may be said of a value
coded_values             the same for bindings to value sets
slicing, values          which value belongs to which slice; fixed values and patterns
items, visit             the values of an element, and the state of one check
check                    a resource → the issues that profiles and definitions of extensions find in it
profile_set              profiles compiled once
"""

from __future__ import annotations

from resources.profiles.check import check_profiles
from resources.profiles.compile import CompiledProfile, compile_profile
from resources.profiles.profile_set import DefinedProfiles, finder, found_among
from resources.profiles.visit import Profiles

__all__ = [
    "CompiledProfile",
    "DefinedProfiles",
    "Profiles",
    "check_profiles",
    "compile_profile",
    "finder",
    "found_among",
]
