"""Changing a part of a resource: JSON Patch and FHIRPath Patch, on its exact text. Pure.

https://hl7.org/fhir/R4/http.html#patch
"""

from resources.patching.fhirpath_patch import FhirPathPatch
from resources.patching.json_patch import JsonPatch

__all__ = ["FhirPathPatch", "JsonPatch"]
