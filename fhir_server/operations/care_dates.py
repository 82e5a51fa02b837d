"""When the care took place that a resource tells of: the search parameter of each type that holds that date.

https://hl7.org/fhir/R4/operation-patient-everything.html (`start` and `end` mean dates of care, not of records)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from resources.problem import problem
from search.entry_text import Filter
from search.kinds.date import WIDTHS
from search.moments import HIGHEST, LOWEST, Span, date_span
from search.parameters import standard_parameters_of
from search.ranges import present, range_filter

OTHERWISE: Mapping[str, str] = MappingProxyType(
    {
        "Account": "period",
        "ChargeItem": "occurrence",
        "Claim": "created",
        "ClaimResponse": "created",
        "Communication": "sent",
        "CommunicationRequest": "occurrence",
        "Condition": "onset-date",
        "CoverageEligibilityRequest": "created",
        "CoverageEligibilityResponse": "created",
        "DetectedIssue": "identified",
        "DeviceRequest": "event-date",
        "DocumentManifest": "created",
        "ExplanationOfBenefit": "created",
        "Goal": "start-date",
        "ImagingStudy": "started",
        "Media": "created",
        "MedicationAdministration": "effective-time",
        "MedicationDispense": "whenhandedover",
        "MedicationRequest": "authoredon",
        "MedicationStatement": "effective",
        "NutritionOrder": "datetime",
        "Provenance": "recorded",
        "QuestionnaireResponse": "authored",
        "RequestGroup": "authored",
        "ServiceRequest": "occurrence",
        "Specimen": "collected",
        "Task": "period",
        "VisionPrescription": "datewritten",
    }
)
"""Type → code of the parameter; of all others `date`, where they have it."""


def care_date(type_name: str) -> str | None:
    """The code of the parameter that says when the care took place; None for types that tell of no event."""
    code = OTHERWISE.get(type_name, "date")
    return code if code in standard_parameters_of(type_name) else None


def within_dates(type_name: str, span: Span | None) -> Filter | None:
    """The filter for resources of a type whose care reached into a span of time, and for those without a date; None where
    the type has none, or no time is given."""
    code = care_date(type_name)
    if code is None or span is None:
        return None
    overlapping = range_filter("d", code, "ap", *span, WIDTHS)
    return {"$or": [overlapping, {"$nor": [present("d", code, WIDTHS)]}]}


def span_of(start: str | None, end: str | None) -> Span | None:
    """The time from the beginning of one date to the end of another; None where neither is given.

    Raises a 400 `Problem` where it ends before it begins.
    """
    first = date_span(start) if start is not None else None
    last = date_span(end) if end is not None else None
    if first is None and last is None:
        return None
    span = first[0] if first is not None else LOWEST, last[1] if last is not None else HIGHEST
    if span[0] >= span[1]:
        raise problem(400, "value", f"The parameter 'end' ({end}) is before 'start' ({start}).")
    return span
