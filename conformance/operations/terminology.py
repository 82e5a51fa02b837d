"""`$expand`, `$validate-code`, `$lookup`, `$translate`. https://hl7.org/fhir/R4/terminology-service.html"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conformance.answers import REFUSED, eventually, refused
from conformance.check import Checks, Skip, expect
from conformance.clauses import R4
from conformance.operations.calling import answered, call, parameter, value_of
from conformance.rest_context import RestContext
from conformance.statement import operation

checks = Checks("Operations: terminology")
EXPAND = f"{R4}/valueset-operation-expand.html"
VALIDATE_CODE = f"{R4}/valueset-operation-validate-code.html"
LOOKUP = f"{R4}/codesystem-operation-lookup.html"
TRANSLATE = f"{R4}/conceptmap-operation-translate.html"
EXPANDS, VALIDATES = operation("expand", "ValueSet"), operation("validate-code", "ValueSet")
LOOKS_UP = operation("lookup", "CodeSystem")
GENDERS, GENDER_VALUES = (
    "http://hl7.org/fhir/administrative-gender",
    "http://hl7.org/fhir/ValueSet/administrative-gender",
)
MANY = 30


@dataclass(frozen=True, slots=True)
class Own:
    """A code system of the kit's own with MANY codes, and a value set of all of them. id: of the value set."""

    system: str
    url: str
    id: str
    definition: dict[str, Any]


def _own(context: RestContext) -> Own:
    return context.shared("operations.terminology", _make)


def _make(context: RestContext) -> Own:
    for type_name in ("CodeSystem", "ValueSet"):
        if "create" not in context.statement.interactions(type_name):
            raise Skip(f"The server does not claim to store what would be looked for, a {type_name}.")
    url = f"http://example.org/{context.records.text('terms-')}"
    system = {"resourceType": "CodeSystem", "url": f"{url}/system", "status": "active", "content": "complete"}
    concepts = [{"code": f"c{number:02}", "display": f"Term {number}"} for number in range(MANY)]
    context.records.create({**system, "concept": concepts})
    values = {
        "resourceType": "ValueSet",
        "url": f"{url}/values",
        "status": "active",
        "compose": {"include": [{"system": f"{url}/system"}]},
    }
    made = context.records.create(values)
    own = Own(f"{url}/system", f"{url}/values", str(made["id"]), values)
    eventually(context, lambda: _expansion(context, f"ValueSet/$expand?url={own.url}"))
    return own


def _expansion(context: RestContext, path: str, *each: dict[str, Any]) -> dict[str, Any]:
    answer = call(context, path, *each) if each else context.api.get(path)
    expansion: dict[str, Any] = answered(answer, "ValueSet").get("expansion", {})
    expect(expansion, f"The ValueSet that {path} answers with has no expansion.")
    return expansion


def _codes(expansion: dict[str, Any]) -> list[str]:
    return [str(each.get("code")) for each in expansion.get("contains", [])]


@checks("operations.expand", "`$expand` has the codes of a value set of R4, with system and display.", EXPAND, EXPANDS)
def _(context: RestContext) -> None:
    expansion = _expansion(context, f"ValueSet/$expand?url={GENDER_VALUES}")
    expect(set(_codes(expansion)) == {"male", "female", "other", "unknown"}, f"The codes are {_codes(expansion)}.")
    for each in expansion["contains"]:
        expect(each.get("system") == GENDERS, f"The system of {each['code']} is {each.get('system')!r}.")
        expect(each.get("display"), f"{each['code']} has no display.")
    expect(expansion.get("timestamp"), "The expansion has no timestamp, which is mandatory.")


@checks("operations.expand_whole", "`$expand` of a stored value set has each code once.", EXPAND, EXPANDS)
def _(context: RestContext) -> None:
    own = _own(context)
    for path in (f"ValueSet/$expand?url={own.url}", f"ValueSet/{own.id}/$expand"):
        codes = _codes(_expansion(context, path))
        expect(len(codes) == len(set(codes)) == MANY, f"{path} has {len(codes)} codes, {len(set(codes))} different.")


@checks("operations.expand_posted", "`$expand` takes a value set that is sent.", EXPAND, EXPANDS)
def _(context: RestContext) -> None:
    own = _own(context)
    chosen = [{"system": own.system, "concept": [{"code": "c03"}, {"code": "c07"}]}]
    sent = {**own.definition, "url": f"{own.url}-sent", "compose": {"include": chosen}}
    codes = _codes(_expansion(context, "ValueSet/$expand", parameter("valueSet", "resource", sent)))
    expect(codes == ["c03", "c07"], f"The codes are {codes}.")


@checks("operations.expand_filter", "`filter` limits an expansion by words.", EXPAND, EXPANDS)
def _(context: RestContext) -> None:
    codes = _codes(_expansion(context, f"ValueSet/$expand?url={_own(context).url}&filter=term 17"))
    expect(codes == ["c17"], f"filter=term 17 has the codes {codes}.")


@checks(
    "operations.expand_pages",
    "`offset` and `count` cut an expansion into pages, with the total of all.",
    EXPAND,
    EXPANDS,
)
def _(context: RestContext) -> None:
    codes: list[str] = []
    for offset in range(0, MANY, 12):
        expansion = _expansion(context, f"ValueSet/$expand?url={_own(context).url}&offset={offset}&count=12")
        expect(len(_codes(expansion)) <= 12, f"A page has {len(_codes(expansion))} codes, where count is 12.")
        expect(expansion.get("total") in (None, MANY), f"The total is {expansion.get('total')}, of {MANY}.")
        codes += _codes(expansion)
    expect(len(codes) == len(set(codes)) == MANY, f"The pages have {len(codes)} codes, {len(set(codes))} different.")


@checks("operations.expand_unknown", "`$expand` of an unknown value set is refused.", EXPAND, EXPANDS)
def _(context: RestContext) -> None:
    refused(context.api.get(f"ValueSet/$expand?url=http://example.org/{context.records.text('none')}"), *REFUSED)


def _result(context: RestContext, path: str) -> bool:
    result = value_of(answered(context.api.get(path), "Parameters"), "result")
    expect(isinstance(result, bool), f"The result of {path} is {result!r}.")
    return bool(result)


@checks(
    "operations.validate_code", "`$validate-code` tells whether a code is in a value set.", VALIDATE_CODE, VALIDATES
)
def _(context: RestContext) -> None:
    path = f"ValueSet/$validate-code?url={GENDER_VALUES}&system={GENDERS}&code="
    expect(_result(context, f"{path}female"), "female is not in the value set.")
    expect(not _result(context, f"{path}woman"), "woman is in the value set.")
    own = _own(context)
    path = f"ValueSet/{own.id}/$validate-code?system={own.system}&code="
    expect(_result(context, f"{path}c05"), "A code of a stored value set is not in it.")
    expect(not _result(context, f"{path}c99"), "A code that a stored value set lacks is in it.")


@checks("operations.validate_code_system", "`$validate-code` heeds the system.", VALIDATE_CODE, VALIDATES)
def _(context: RestContext) -> None:
    path = f"ValueSet/$validate-code?url={GENDER_VALUES}&system=http://example.org/other&code=female"
    expect(not _result(context, path), "A code of another system is in the value set.")


@checks(
    "operations.validate_coding", "`$validate-code` takes a Coding and a CodeableConcept.", VALIDATE_CODE, VALIDATES
)
def _(context: RestContext) -> None:
    own = _own(context)
    url = parameter("url", "valueUri", own.url)
    coding = {"system": own.system, "code": "c05"}
    for each in (
        parameter("coding", "valueCoding", coding),
        parameter("codeableConcept", "valueCodeableConcept", {"coding": [{"code": "x"}, coding]}),
    ):
        tree = answered(call(context, "ValueSet/$validate-code", url, each), "Parameters")
        expect(value_of(tree, "result") is True, f"A {each['name']} of the value set is not in it.")


@checks("operations.lookup", "`$lookup` names a code.", LOOKUP, LOOKS_UP)
def _(context: RestContext) -> None:
    own = _own(context)
    for system, code, display in ((GENDERS, "female", "Female"), (own.system, "c05", "Term 5")):
        tree = answered(context.api.get(f"CodeSystem/$lookup?system={system}&code={code}"), "Parameters")
        expect(value_of(tree, "display") == display, f"The display of {code} is {value_of(tree, 'display')!r}.")
        expect(value_of(tree, "name"), "The answer lacks the name of the code system.")


@checks("operations.lookup_unknown", "`$lookup` of an unknown code or without one is refused.", LOOKUP, LOOKS_UP)
def _(context: RestContext) -> None:
    refused(context.api.get(f"CodeSystem/$lookup?system={GENDERS}&code=woman"), *REFUSED)
    refused(context.api.get("CodeSystem/$lookup"), *REFUSED)


@checks(
    "operations.validate_code_of_system",
    "`$validate-code` of a code system tells whether it has a code.",
    f"{R4}/codesystem-operation-validate-code.html",
    operation("validate-code", "CodeSystem"),
)
def _(context: RestContext) -> None:
    path = f"CodeSystem/$validate-code?url={_own(context).system}&code="
    expect(_result(context, f"{path}c05"), "A code of the code system is not in it.")
    expect(not _result(context, f"{path}c99"), "A code that the code system lacks is in it.")


@checks(
    "operations.translate", "`$translate` maps a code by a ConceptMap.", TRANSLATE, operation("translate", "ConceptMap")
)
def _(context: RestContext) -> None:
    url = f"http://example.org/{context.records.text('map-')}"
    target = {"code": "b", "equivalence": "equivalent"}
    group = {"source": f"{url}/from", "target": f"{url}/to", "element": [{"code": "a", "target": [target]}]}
    made = context.records.create({"resourceType": "ConceptMap", "url": url, "status": "active", "group": [group]})
    path = f"ConceptMap/{made['id']}/$translate?system={url}/from&code="
    expect(_result(context, f"{path}a"), "A code of the ConceptMap is not mapped.")
    expect(not _result(context, f"{path}z"), "A code that the ConceptMap lacks is mapped.")
