"""That JSON and XML say the same, and that what is malformed is refused."""

from __future__ import annotations

from conformance.answers import expect_status, refused
from conformance.api import json_of
from conformance.check import Checks, Failure, expect
from conformance.claims import BATCHES
from conformance.clauses import DATATYPES, JSON, XML
from conformance.formats.exchange import (
    AS_JSON,
    AS_XML,
    CONTENT,
    DECIMAL,
    FHIR_JSON,
    FHIR_XML,
    NAMESPACE,
    get,
    made,
    send,
    tree_of,
    values,
)
from conformance.rest_context import RestContext
from conformance.samples import EXTENSION, IDENTIFIERS, TYPES, sample, snake_case
from conformance.statement import interaction

checks = Checks("Formats: content")


def _xml_patient(context: RestContext, members: str, before: str = "") -> str:
    identifier = f'<identifier><system value="{IDENTIFIERS}"/><value value="{context.records.text()}"/></identifier>'
    tag = context.records.tagged({})["meta"]["tag"][0]
    meta = f'<meta><tag><system value="{tag["system"]}"/><code value="{tag["code"]}"/></tag></meta>'
    return f'{before}<Patient xmlns="{NAMESPACE}">{meta}{members.replace("IDENTIFIER", identifier)}</Patient>'


@checks(
    "formats.malformed_json", "Malformed JSON is refused with 400.", JSON, AS_JSON, interaction("create", "Patient")
)
def _(context: RestContext) -> None:
    for text in ("", "{", '{"resourceType":"Patient",}', "[1, 2", '{"resourceType": "Patient"} x'):
        refused(context.records.post_text("Patient", text, FHIR_JSON), 400)


@checks("formats.malformed_xml", "Malformed XML is refused with 400.", XML, AS_XML, interaction("create", "Patient"))
def _(context: RestContext) -> None:
    for text in (
        f'<Patient xmlns="{NAMESPACE}">',
        "<Patient",
        f'<Patient xmlns="{NAMESPACE}"><active value=true/></Patient>',
    ):
        refused(context.records.post_text("Patient", text, FHIR_XML), 400)


@checks(
    "formats.xml_namespace",
    "XML that is not in FHIR's namespace is refused.",
    f"{XML}#xml",
    AS_XML,
    interaction("create", "Patient"),
)
def _(context: RestContext) -> None:
    for attribute in (' xmlns="urn:other"', ""):
        text = f'<Patient{attribute}><active value="true"/></Patient>'
        refused(context.records.post_text("Patient", text, FHIR_XML), 400, 422)


@checks(
    "formats.xml_entities",
    "XML with a document type is refused: its entities may read files or fill the memory.",
    f"{XML}#security",
    AS_XML,
    interaction("create", "Patient"),
)
def _(context: RestContext) -> None:
    dangers = (
        '<!DOCTYPE Patient [<!ENTITY it SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE Patient [<!ENTITY a "aaaaaaaaaa"><!ENTITY it "&a;&a;&a;&a;">]>',
    )
    for danger in dangers:
        text = _xml_patient(context, 'IDENTIFIER<name><family value="&it;"/></name>', danger)
        answer = context.records.post_text("Patient", text, FHIR_XML)
        refused(answer, 400, 422)


@checks(
    "formats.json_read_as_xml", "What was written in JSON is read in XML with the same content.", XML, AS_JSON, AS_XML
)
def _(context: RestContext) -> None:
    tree = tree_of(get(context, made(context), FHIR_XML))
    expect(
        values(tree, "name/family") == [CONTENT["name"][0]["family"]], f"The family is {values(tree, 'name/family')}."
    )
    expect(values(tree, "name/given") == ["Anna", "Bea"], f"given is {values(tree, 'name/given')}.")
    expect(values(tree, "birthDate") == ["1970-01-31"], f"birthDate is {values(tree, 'birthDate')}.")
    expect(values(tree, "active") == ["true"], f"active is {values(tree, 'active')}.")
    expect("Zoë" in "".join(tree.itertext()), "The narrative is not there.")


@checks(
    "formats.decimals_in_xml",
    "Decimals keep their precision between JSON and XML.",
    f"{DATATYPES}#decimal",
    AS_JSON,
    AS_XML,
)
def _(context: RestContext) -> None:
    tree = tree_of(get(context, made(context), FHIR_XML))
    found = values(tree, "extension/valueDecimal")
    expect(found == [DECIMAL], f"{DECIMAL} in JSON is {found} in XML.")


@checks(
    "formats.primitive_extensions_in_xml",
    "Ids and extensions of primitive values are kept between JSON and XML.",
    f"{XML}#primitive",
    AS_JSON,
    AS_XML,
)
def _(context: RestContext) -> None:
    tree = tree_of(get(context, made(context), FHIR_XML))
    found = values(tree, "birthDate/extension/valueDateTime")
    expect(found == ["1970-01-31T14:35:45-05:00"], f"The extension of birthDate is {found}.")
    ids = [each.get("id") for each in tree.findall(f"{{{NAMESPACE}}}name/{{{NAMESPACE}}}given")]
    expect(ids == [None, "second"], f"The ids of given are {ids}.")


@checks(
    "formats.xml_read_as_json",
    "What was written in XML is read in JSON with the same content.",
    XML,
    AS_JSON,
    AS_XML,
    interaction("create", "Patient"),
)
def _(context: RestContext) -> None:
    members = (
        f'<extension url="{EXTENSION}"><valueDecimal value="{DECIMAL}"/></extension>IDENTIFIER'
        '<name><family value="Zoë &amp; &lt;Co&gt;"/><given value="Anna"/><given id="second" value="Bea"/></name>'
        f'<birthDate value="1970-01-31"><extension url="{EXTENSION}"><valueCode value="x"/></extension></birthDate>'
        '<multipleBirthInteger value="2"/>'
    )
    answer = expect_status(get(context, send(context, _xml_patient(context, members), FHIR_XML), FHIR_JSON), 200)
    found = json_of(answer, parse_float=str)
    expected = {
        "extension": [{"url": EXTENSION, "valueDecimal": DECIMAL}],
        "name": [{"family": "Zoë & <Co>", "given": ["Anna", "Bea"], "_given": [None, {"id": "second"}]}],
        "birthDate": "1970-01-31",
        "_birthDate": {"extension": [{"url": EXTENSION, "valueCode": "x"}]},
        "multipleBirthInteger": 2,
    }
    for name, value in expected.items():
        expect(found.get(name) == value, f"{name} is {found.get(name)!r}, where {value!r} was written in XML.")


def _both_of(type_name: str) -> None:
    @checks(
        f"formats.round_trip_{snake_case(type_name)}",
        f"{type_name} can be read in XML and written back so, which changes nothing.",
        XML,
        AS_JSON,
        AS_XML,
        interaction("update", type_name),
    )
    def _(context: RestContext) -> None:
        before = context.records.create(sample(context, type_name))
        path = f"{type_name}/{before['id']}"
        xml = expect_status(get(context, path, FHIR_XML), 200).content
        expect_status(context.api.request("PUT", path, content=xml, headers={"Content-Type": FHIR_XML}), 200)
        after = context.api.resource(path)
        differing = [name for name in {*before, *after} - {"meta"} if before.get(name) != after.get(name)]
        expect(not differing, f"Changed by the round trip: {', '.join(sorted(differing))}.")


for _name in TYPES:
    _both_of(_name)


@checks("formats.bundle_in_xml", "A batch in XML is processed, and answered in XML.", XML, AS_XML, BATCHES)
def _(context: RestContext) -> None:
    request = f'<request><method value="GET"/><url value="{made(context)}"/></request>'
    text = f'<Bundle xmlns="{NAMESPACE}"><type value="batch"/><entry>{request}</entry></Bundle>'
    headers = {"Content-Type": FHIR_XML, "Accept": FHIR_XML}
    tree = tree_of(context.api.request("POST", "", content=text.encode(), headers=headers))
    expect(values(tree, "type") == ["batch-response"], f"The type is {values(tree, 'type')}.")
    status = values(tree, "entry/response/status")
    if not status or not str(status[0]).startswith("200"):
        raise Failure(f"The entry is answered {status}.")
