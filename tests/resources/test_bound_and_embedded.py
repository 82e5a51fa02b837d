"""Coded values, references, contained resources and narratives: what is refused, and where.

https://hl7.org/fhir/R4/terminologies.html, references.html and narrative.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

JsonObject = dict[str, Any]
Errors = list[tuple[str, str | None]]
Find = Callable[[str, JsonObject], Errors]

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'
CODE = {"text": "x"}
OBSERVATION: JsonObject = {"status": "final", "code": CODE}

BINDINGS: list[tuple[str, JsonObject, list[tuple[str, str]]]] = [
    ("Patient", {"gender": "Male"}, [("code-invalid", "gender")]),
    ("Patient", {"name": [{"use": "legal"}]}, [("code-invalid", "name[0].use")]),
    ("Patient", {"telecom": [{"system": "telegraph", "value": "1"}]}, [("code-invalid", "telecom[0].system")]),
    ("Patient", {"link": [{"other": {"reference": "Patient/1"}, "type": "x"}]}, [("code-invalid", "link[0].type")]),
    ("Observation", {"status": "done", "code": CODE}, [("code-invalid", "status")]),
    (
        "AllergyIntolerance",
        {
            "patient": {"reference": "Patient/1"},
            "clinicalStatus": {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "gone"}
                ]
            },
        },
        [("code-invalid", "clinicalStatus")],
    ),
    (
        "AllergyIntolerance",
        {"patient": {"reference": "Patient/1"}, "clinicalStatus": {"coding": [{"code": "active"}]}},
        [("code-invalid", "clinicalStatus")],
    ),
    (
        "AllergyIntolerance",
        {"patient": {"reference": "Patient/1"}, "clinicalStatus": {"text": "active"}},
        [("code-invalid", "clinicalStatus")],
    ),
    (
        "Patient",
        {"maritalStatus": {"coding": [{"system": "http://hl7.org/fhir/administrative-gender", "code": "mail"}]}},
        [("code-invalid", "maritalStatus.coding[0]")],
    ),
    ("Patient", {"maritalStatus": {"coding": [{"system": "http://example.org/x", "code": "mail"}]}}, []),
]


@pytest.mark.parametrize(("resource_type", "members", "expected"), BINDINGS)
def test_a_code_must_stand_in_the_required_value_set_and_in_its_r4_code_system(
    found: Find, resource_type: str, members: JsonObject, expected: list[tuple[str, str]]
) -> None:
    assert found(resource_type, members) == expected


def organization(text: Any, **members: Any) -> JsonObject:
    return {"managingOrganization": {"reference": text, **members}}


REFERENCES: list[tuple[JsonObject, list[tuple[str, str]]]] = [
    (organization("Organization/1"), []),
    (organization("Organization/1/_history/2"), []),
    (organization("http://elsewhere/fhir/Organization/1"), []),
    (organization("http://elsewhere/anything"), []),
    (organization("urn:uuid:c757873d-ec9a-4326-a141-556f43239520"), []),
    (organization("Organization?identifier=x"), []),
    ({"managingOrganization": {"identifier": {"value": "x"}}}, []),
    ({"managingOrganization": {"display": "x"}}, []),
    (organization("Patient/1"), [("value", "managingOrganization")]),
    (organization("http://elsewhere/fhir/Patient/1"), [("value", "managingOrganization")]),
    (organization("Patient?identifier=x"), [("value", "managingOrganization")]),
    (organization("Organisation/1"), [("value", "managingOrganization")]),
    (organization("Organization/1", type="Patient"), [("value", "managingOrganization")]),
    ({"managingOrganization": {"type": "Patient", "display": "x"}}, [("value", "managingOrganization")]),
    (organization("#gone"), [("invariant", "managingOrganization")]),
    (
        {**organization("#p"), "contained": [{"resourceType": "Patient", "id": "p", "active": True}]},
        [("value", "managingOrganization")],
    ),
    (organization(5), [("value", "managingOrganization.reference")]),
    ({"generalPractitioner": [{"reference": "Patient/1"}]}, [("value", "generalPractitioner[0]")]),
]


@pytest.mark.parametrize(("members", "expected"), REFERENCES)
def test_a_reference_must_point_to_a_type_that_its_element_allows(
    found: Find, members: JsonObject, expected: list[tuple[str, str]]
) -> None:
    assert found("Patient", members) == expected


ORGANIZATION: JsonObject = {"resourceType": "Organization", "id": "o", "name": "x"}

CONTAINED: list[tuple[Any, list[tuple[str, str]]]] = [
    ([ORGANIZATION], []),
    ([{**ORGANIZATION, "colour": 1}], [("structure", "contained[0]")]),
    ([{**ORGANIZATION, "active": "yes"}], [("value", "contained[0].active")]),
    ([{**ORGANIZATION, "meta": {"versionId": "1"}}], [("invariant", ".")]),
    ([{**ORGANIZATION, "meta": {"security": [{"code": "R"}]}}], [("invariant", ".")]),
    (
        [{**ORGANIZATION, "contained": [{"resourceType": "Organization", "id": "x", "name": "y"}]}],
        [("invariant", "contained[0]"), ("invariant", ".")],
    ),
    ([ORGANIZATION, 5], [("structure", "contained[1]")]),
    ([ORGANIZATION, {"resourceType": "House", "id": "h"}], [("structure", "contained[1]"), ("invariant", ".")]),
    ([ORGANIZATION, {"id": "h"}], [("structure", "contained[1]"), ("invariant", ".")]),
    ({}, [("invariant", "managingOrganization"), ("structure", "contained")]),
]


@pytest.mark.parametrize(("inner", "expected"), CONTAINED)
def test_a_contained_resource_follows_its_own_type_and_the_rules_of_containment(
    found: Find, inner: Any, expected: list[tuple[str, str]]
) -> None:
    members = {"managingOrganization": {"reference": "#o"}, "contained": inner}
    assert found("Patient", members) == expected


def test_a_contained_resource_needs_an_id_and_a_reference_to_it(found: Find) -> None:
    assert ("required", "contained[0]") in found(
        "Patient", {"contained": [{"resourceType": "Organization", "name": "x"}]}
    )
    assert found("Patient", {"contained": [ORGANIZATION]}) == [("invariant", ".")]
    tied = {"resourceType": "Observation", "id": "x", **OBSERVATION, "subject": {"reference": "#"}}
    assert found("Patient", {"contained": [tied]}) == []


def test_a_resource_within_a_bundle_is_validated_by_itself(found: Find) -> None:
    inner = {"resourceType": "Patient", "managingOrganization": {"reference": "#o"}, "contained": [ORGANIZATION]}
    bundle = {"type": "collection", "entry": [{"fullUrl": "http://x/y", "resource": inner}]}
    assert found("Bundle", bundle) == []
    inner["gender"] = "x"
    inner["contained"] = []
    assert found("Bundle", bundle) == [
        ("invariant", "entry[0].resource.managingOrganization"),
        ("structure", "entry[0].resource.contained"),
        ("code-invalid", "entry[0].resource.gender"),
    ]


REFUSED_NARRATIVES = {
    "a script": f"{DIV}<script>x</script></div>",
    "an event": f'{DIV}<p onclick="x()">y</p></div>',
    "a script in a link": f'{DIV}<a href="javascript:x()">y</a></div>',
    "a script in a link, disguised": f'{DIV}<a href=" java&#10;Script:x()">y</a></div>',
    "HTML in an image": f'{DIV}<img src="data:text/html,x"/></div>',
    "a frame": f'{DIV}<iframe src="http://x"/></div>',
    "a form": f"{DIV}<form>x</form></div>",
    "an external style sheet": f'{DIV}<link rel="stylesheet" href="http://x"/>y</div>',
    "a style element": f"{DIV}<style>x</style>y</div>",
    "a base": f'{DIV}<base href="http://x"/>y</div>',
    "an object": f'{DIV}<object data="http://x"/></div>',
    "an xlink": f'{DIV}<p xmlns:l="http://www.w3.org/1999/xlink" l:href="x">y</p></div>',
    "SVG": f'{DIV}<svg xmlns="http://www.w3.org/2000/svg"/>x</div>',
    "a document type": f"<!DOCTYPE div>{DIV}x</div>",
    "an external entity": f'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>{DIV}&e;</div>',
    "an entity bomb": f'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>{DIV}&b;</div>',
    "an entity of HTML": f"{DIV}&nbsp;</div>",
    "a processing instruction": f"{DIV}<?php x ?>y</div>",
    "no namespace": "<div>x</div>",
    "another root": '<p xmlns="http://www.w3.org/1999/xhtml">x</p>',
    "a full document": '<html xmlns="http://www.w3.org/1999/xhtml"><body>x</body></html>',
    "two roots": f"{DIV}x</div>{DIV}y</div>",
    "unclosed": f"{DIV}x",
    "not nested": f"{DIV}<b><i>x</b></i></div>",
    "text only": "x",
    "blank": f"{DIV} \n </div>",
    "empty": "",
    "control characters": f"{DIV}\x00</div>",
    "too deep": DIV + "<b>" * 1000 + "x" + "</b>" * 1000 + "</div>",
}


@pytest.mark.parametrize("what", REFUSED_NARRATIVES)
def test_a_narrative_that_fhir_does_not_allow_is_refused(found: Find, what: str) -> None:
    errors = found("Patient", {"text": {"status": "generated", "div": REFUSED_NARRATIVES[what]}})
    assert set(errors) == {("structure", "text.div")}


@pytest.mark.parametrize(
    "inside",
    [
        "x",
        "<p>a &amp; b &#160; <b>c</b><br/></p>",
        '<table class="grid"><tr><td colspan="2" style="color: red">x</td></tr></table>',
        '<a href="http://x" title="y">z</a> <a name="n"/>',
        '<img src="data:image/png;base64,QUJD" alt="x"/>',
        '<span xml:lang="de">x</span><!-- c --><![CDATA[<y>]]>',
    ],
)
def test_a_narrative_of_allowed_xhtml_is_accepted(found: Find, inside: str) -> None:
    assert found("Patient", {"text": {"status": "generated", "div": f"{DIV}{inside}</div>"}}) == []
