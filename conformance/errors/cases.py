"""Resources that are wrong in one way each, as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.clauses import DATATYPES, JSON, R4
from conformance.rest_context import RestContext
from conformance.samples import sample


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong resource. words: how it is wrong. members: what is changed in a sample; None leaves an element out.

    element: a word that `expression` or `diagnostics` should have, so that one finds the place.
    """

    name: str
    words: str
    members: Mapping[str, Any]
    element: str
    type_name: str = "Patient"
    clause: str = JSON


def _date(value: object, name: str) -> Wrong:
    return Wrong(
        f"date_{name}", f"whose birthDate is {value!r}", {"birthDate": value}, "birthDate", clause=f"{DATATYPES}#date"
    )


CASES = (
    Wrong("unknown_element", "with an element that FHIR does not have", {"shoeSize": 42}, "shoeSize"),
    Wrong("unknown_nested_element", "with an unknown element in a part", {"name": [{"surname": "Kit"}]}, "surname"),
    Wrong(
        "boolean_as_text",
        "with a text where true or false belongs",
        {"active": "true"},
        "active",
        clause=f"{JSON}#primitive",
    ),
    Wrong(
        "text_as_number",
        "with a number where a text belongs",
        {"name": [{"family": 7}]},
        "family",
        clause=f"{JSON}#primitive",
    ),
    Wrong(
        "number_as_text",
        "with a text where a number belongs",
        {"multipleBirthInteger": "2"},
        "multipleBirth",
        clause=f"{JSON}#primitive",
    ),
    Wrong("object_as_text", "with a text where an object belongs", {"maritalStatus": "single"}, "maritalStatus"),
    Wrong(
        "list_for_one", "with a list where one value belongs", {"gender": ["female"]}, "gender", clause=f"{JSON}#repeat"
    ),
    Wrong(
        "one_for_list",
        "with one value where a list belongs",
        {"name": {"family": "Kit"}},
        "name",
        clause=f"{JSON}#repeat",
    ),
    Wrong("empty_text", "with an empty text", {"name": [{"family": ""}]}, "family", clause=f"{DATATYPES}#string"),
    Wrong("empty_object", "with an empty object", {"maritalStatus": {}}, "maritalStatus"),
    Wrong("empty_list", "with an empty list", {"name": []}, "name"),
    Wrong("null", "with a null", {"name": [{"family": "NULL"}]}, "family", clause=f"{JSON}#null"),
    Wrong(
        "required_code",
        "with a code that a required value set does not have",
        {"gender": "woman"},
        "gender",
        clause=f"{R4}/terminologies.html#required",
    ),
    Wrong(
        "choice_twice",
        "with two values of one choice",
        {"deceasedBoolean": False, "deceasedDateTime": "2020"},
        "deceased",
        clause=f"{R4}/formats.html#choice",
    ),
    _date("yesterday", "of_words"),
    _date("1970-13-01", "of_no_month"),
    _date("1970-02-30", "of_no_day"),
    _date("31.01.1970", "of_another_form"),
    _date("1970-01-31T00:00:00Z", "with_time"),
    Wrong(
        "datetime_without_zone",
        "with a time without a time zone",
        {"effectiveDateTime": "2024-03-01T09:00:00"},
        "effective",
        "Observation",
        f"{DATATYPES}#dateTime",
    ),
    Wrong(
        "missing_status",
        "without its status",
        {"status": None},
        "status",
        "Observation",
        f"{R4}/conformance-rules.html#cardinality",
    ),
    Wrong(
        "missing_code",
        "without its code",
        {"code": None},
        "code",
        "Observation",
        f"{R4}/conformance-rules.html#cardinality",
    ),
    Wrong(
        "missing_class",
        "without its class",
        {"class": None},
        "class",
        "Encounter",
        f"{R4}/conformance-rules.html#cardinality",
    ),
    Wrong(
        "missing_participant",
        "without a participant",
        {"participant": None},
        "participant",
        "Appointment",
        f"{R4}/conformance-rules.html#cardinality",
    ),
    Wrong(
        "missing_intent",
        "without its intent",
        {"intent": None},
        "intent",
        "MedicationRequest",
        f"{R4}/conformance-rules.html#cardinality",
    ),
    Wrong(
        "extension_without_url",
        "with an extension without url",
        {"extension": [{"valueString": "x"}]},
        "extension",
        clause=f"{R4}/extensibility.html",
    ),
    Wrong(
        "negative_position",
        "with a negative positiveInt",
        {"telecom": [{"system": "phone", "value": "1", "rank": -1}]},
        "rank",
        clause=f"{DATATYPES}#positiveInt",
    ),
    Wrong(
        "bad_base64",
        "with base64 that is none",
        {"photo": [{"contentType": "image/png", "data": "***"}]},
        "data",
        clause=f"{DATATYPES}#base64Binary",
    ),
    Wrong(
        "bad_contained_id",
        "with an id that FHIR does not allow",
        {
            "contained": [{"resourceType": "Organization", "id": "an id", "name": "X"}],
            "managingOrganization": {"reference": "#an id"},
        },
        "id",
        clause=f"{DATATYPES}#id",
    ),
    Wrong(
        "unknown_contained",
        "with a contained resource of no known type",
        {"contained": [{"resourceType": "Teapot", "id": "t"}]},
        "contained",
    ),
    Wrong(
        "script_in_narrative",
        "with a script in its narrative",
        {
            "text": {
                "status": "generated",
                "div": '<div xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></div>',
            }
        },
        "text",
        clause=f"{R4}/narrative.html#xhtml",
    ),
)


def text_of(context: RestContext, wrong: Wrong) -> str:
    """The body of a wrong resource."""
    resource = context.records.tagged(sample(context, wrong.type_name, **wrong.members))
    return json.dumps(resource).replace('"NULL"', "null")
