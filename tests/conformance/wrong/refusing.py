"""Faults of formats, errors and patches."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import unquote

from tests.conformance.wrong.fault import Faults
from tests.conformance.wrong.server import FHIR_JSON, Answer, Ask, Real

faults = Faults()


def _is_json_patch(ask: Ask) -> bool:
    return ask.method == "PATCH" and isinstance(ask.tree, list)


@faults("_format that is ignored", "formats.format_parameter_json", "formats.format_parameter_xml")
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.without_parameters("_format"))


@faults("JSON whatever Accept says", "formats.accept_xml", "formats.search_in_xml", "formats.error_in_xml")
def _(ask: Ask, real: Real) -> Answer:
    return real(replace(ask, headers={**ask.headers, "accept": FHIR_JSON}))


@faults("any body that is taken for JSON", "formats.content_type_unknown")
def _(ask: Ask, real: Real) -> Answer:
    return real(replace(ask, headers={**ask.headers, "content-type": FHIR_JSON}) if ask.method == "POST" else ask)


@faults("decimals of XML as floating point", "formats.decimals_in_xml")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    return replace(answer, body=re.sub(rb'(<valueDecimal value="\d+\.\d)0+"', rb'\1"', answer.body))


@faults("entities of XML that are put in", "formats.xml_entities")
def _(ask: Ask, real: Real) -> Answer:
    body = re.sub(rb"<!DOCTYPE[^\[]*\[.*?\]>", b"", ask.body, flags=re.DOTALL).replace(b"&it;", b"root")
    return real(replace(ask, body=body))


@faults("answers in Latin-1", "formats.charset")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    kind = answer.headers.get("content-type", "").partition(";")[0]
    return answer.having(content_type=f"{kind}; charset=iso-8859-1") if kind else answer


@faults("errors as pages of HTML", "errors.content_type", "errors.unknown_type", "rest.read_unknown_observation")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    return (
        Answer(answer.status, {"content-type": "text/html"}, b"<h1>Not Found</h1>") if answer.status > 399 else answer
    )


@faults("errors that show a stack trace", "errors.no_stack_trace")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    issue = {"severity": "error", "code": "exception", "diagnostics": "at ca.example.Parser(Parser.java:120)"}
    wrong = {"resourceType": "OperationOutcome", "issue": [issue]}
    return answer.saying(wrong) if answer.status == 400 else answer


@faults("errors without a word", "errors.says_what_is_wrong")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    wrong = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid"}]}
    return answer.saying(wrong) if answer.status >= 400 else answer


@faults("an issue of a type that FHIR does not have", "errors.unknown_address", "errors.bad_base64")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    wrong = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "oops", "diagnostics": "Oops"}],
    }
    return answer.saying(wrong) if answer.status >= 400 else answer


@faults("the page that the path names back", "errors.no_html_echo")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if answer.status >= 400 and ask.headers.get("accept") == "text/html":
        return Answer(404, {"content-type": "text/html"}, f"<p>No {unquote(ask.path)}</p>".encode())
    return answer


@faults("unknown elements that are dropped", "errors.unknown_element", "patch.refused_unknown_element")
def _(ask: Ask, real: Real) -> Answer:
    if isinstance(ask.tree, dict):
        return real(ask.sending({name: value for name, value in ask.tree.items() if name != "shoeSize"}))
    if _is_json_patch(ask):
        return real(ask.sending([each for each in ask.tree if each["path"] != "/shoeSize"]))
    return real(ask)


@faults("texts that are taken for values", "errors.boolean_as_text", "errors.number_as_text")
def _(ask: Ask, real: Real) -> Answer:
    return real(replace(ask, body=re.sub(rb'(active|multipleBirthInteger)": ?"(\w+)"', rb'\1": \2', ask.body)))


@faults("codes of required value sets that are not checked", "errors.required_code", "errors.expression")
def _(ask: Ask, real: Real) -> Answer:
    return real(replace(ask, body=ask.body.replace(b'"woman"', b'"other"')))


@faults("dates that are guessed", "errors.date_of_words", "errors.date_of_another_form", "patch.refused_invalid_result")
def _(ask: Ask, real: Real) -> Answer:
    return real(replace(ask, body=re.sub(rb'"(yesterday|31\.01\.1970)"', b'"1970-01-31"', ask.body)))


@faults("of a key that stands twice the last", "errors.duplicate_key")
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.sending(ask.tree) if isinstance(ask.tree, dict) and ask.method == "POST" else ask)


@faults(
    "unknown parameters that strict searches ignore", "errors.strict_unknown_parameter", "errors.search_bad_modifier"
)
def _(ask: Ask, real: Real) -> Answer:
    kept = [pair for pair in ask.parameters if pair[0] not in ("no-such-parameter", "family:sounds-like")]
    return real(ask.asking(kept) if ask.method == "GET" else ask)


@faults("a self link with what was not understood", "errors.lenient_unknown_parameter")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if answer.bundle and "no-such-parameter" in ask.query:
        link = [{"relation": "self", "url": f"http://localhost:8080/fhir/{ask.path}?{ask.query}"}]
        return answer.saying({**answer.bundle, "link": link})
    return answer


@faults("405 without Allow", "errors.method_not_allowed")
def _(ask: Ask, real: Real) -> Answer:
    return real(ask).without("allow")


@faults("a crash on deep JSON", "errors.deep_nesting")
def _(ask: Ask, real: Real) -> Answer:
    return Answer(500) if ask.body.count(b"[") > 500 else real(ask)


@faults("tests of patches that are passed over", "patch.refused_test_failing")
def _(ask: Ask, real: Real) -> Answer:
    return real(ask.sending([each for each in ask.tree if each["op"] != "test"]) if _is_json_patch(ask) else ask)


@faults(
    "operations of patches that fail in silence",
    "patch.refused_missing_path",
    "patch.refused_id_changed",
    "patch.refused_no_value",
)
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    return real.get(ask.path) if ask.method == "PATCH" and answer.status in (400, 422) else answer


@faults("half a patch that is stored", "patch.refused_test_failing")
def _(ask: Ask, real: Real) -> Answer:
    answer = real(ask)
    if _is_json_patch(ask) and answer.status >= 400 and len(ask.tree) > 1:
        real(ask.sending(ask.tree[:1]))
    return answer


@faults("a patch that leaves no version", "patch.json_patch_patient", "patch.fhirpath_replace")
def _(ask: Ask, real: Real) -> Answer:
    if ask.method == "PATCH" and ask.path not in real.memory:
        real.memory[ask.path] = real.get(ask.path).tree["meta"]
    answer = real(ask)
    if ask.path in real.memory and ask.method == "GET" and answer.status == 200:
        return answer.saying({**answer.tree, "meta": real.memory[ask.path]})
    return answer


@faults("FHIRPath Patches that insert at the end", "patch.fhirpath_insert")
def _(ask: Ask, real: Real) -> Answer:
    return real(replace(ask, body=ask.body.replace(b'"valueInteger": 1', b'"valueInteger": 2')))
