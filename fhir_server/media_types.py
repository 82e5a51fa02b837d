"""The media types of FHIR, and what each is read and written as.

https://hl7.org/fhir/R4/http.html#mime-type
"""

from __future__ import annotations

from typing import Literal

FHIR_JSON, FHIR_XML = "application/fhir+json", "application/fhir+xml"
JSON_TYPES = frozenset({FHIR_JSON, "application/json", "text/json"})
XML_TYPES = frozenset({FHIR_XML, "application/xml", "text/xml"})
FORM = "application/x-www-form-urlencoded"
JSON_PATCH = "application/json-patch+json"
PATCH_TYPES = frozenset({JSON_PATCH, FHIR_JSON, FHIR_XML})
"""What a PATCH may be sent as: a JSON Patch, or the Parameters of a FHIRPath Patch."""

FORMATS = {
    "json": FHIR_JSON,
    "application/json": "application/json",
    "text/json": FHIR_JSON,
    FHIR_JSON: FHIR_JSON,
    "xml": FHIR_XML,
    "application/xml": "application/xml",
    "text/xml": FHIR_XML,
    FHIR_XML: FHIR_XML,
    # A plus in a query is a blank, and many clients do not escape it.
    "application/fhir json": FHIR_JSON,
    "application/fhir xml": FHIR_XML,
}
"""What `_format` may say, and `Accept` for the most part → the media type of the answer."""

R4_VERSIONS = frozenset({"4.0", "4.0.1"})
"""Of the parameter `fhirVersion`."""

Form = Literal["resource", "form", "patch"]
"""What the body of a request is expected to be."""


def accepted_types(form: Form) -> frozenset[str]:
    """The media types that a body of this form may have."""
    if form == "form":
        return frozenset({FORM})
    return PATCH_TYPES if form == "patch" else JSON_TYPES | XML_TYPES
