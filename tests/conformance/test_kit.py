"""The kit itself: it knows nothing of our server, keeps secrets out of its log, and finds what is wrong with a server."""

from __future__ import annotations

import ast
import io
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

import conformance
from conformance.check import Check, Checks, Failure, Result, Skip, expect
from conformance.html_forms import read_page
from conformance.http_log import MASK, HttpLog
from conformance.runner import run_check, run_checks
from conformance.smart.configuration import ConfigurationError, configuration_of, read_configuration
from conformance.smart.context import SmartContext
from conformance.smart.run import CHECKS, main
from conformance.statement import Statement
from conformance.table import print_results

pytestmark = pytest.mark.xdist_group("conformance-smart")

FOLDER = Path(conformance.__file__).parent
ALLOWED = {"conformance", "httpx", "joserfc"}
OURS = {"fhir_server", "capability", "smart_auth", "search", "resources"}


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_the_kit_imports_nothing_of_the_server(path):
    tree = ast.parse(path.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name.partition(".")[0] for name in names} & OURS


def test_every_check_has_an_id_of_its_own_a_sentence_and_a_clause():
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert check.sentence.endswith("."), check.id
        assert check.clause.startswith("https://"), check.id


def test_every_row_that_the_public_suites_assert_has_its_check():
    ids = {check.id for check in CHECKS}
    of_flows = (
        *("smart_app_redirect_stu2", "smart_code_received", "smart_token_exchange_stu2_2"),
        *("smart_token_response_body_stu2_2", "smart_token_response_headers", "smart_openid_decode"),
        *("smart_openid_retrieve_configuration", "smart_openid_required_configuration_fields"),
        *("smart_openid_retrieve_jwks", "smart_openid_token_header", "smart_openid_token_payload"),
        *("smart_openid_fhir_user_claim", "smart_token_refresh_stu2", "smart_token_refresh_stu2_with_scope"),
        *("smart_token_refresh_body", "g10_smart_scopes", "g10_patient_context", "g10_encounter_context"),
    )
    alone = (
        *("well_known_endpoint", "well_known_capabilities_stu2", "smart_cors_well_known_endpoint"),
        *("smart_cors_metadata_request", "ehr_auth_tls", "token_tls", "ehr.smart_app_launch"),
        *("ehr.smart_launch_received", "standalone_public.smart_cors_token_exchange", "g10_unauthorized_access"),
        *("smart_backend_services_invalid_grant_type", "smart_backend_services_invalid_client_assertion"),
        *("smart_backend_services_invalid_jwt", "smart_backend_services_auth_request_success"),
        *("smart_backend_services_auth_response_body", "smart_token_introspection_inactive"),
        *("g10_invalid_aud", "g10_invalid_code", "g10_invalid_client_id", "g10_invalid_refresh_token"),
        *("g10_limited_grant_scopes", "g10_limited_grant_access", "g10_granular_scope_selection"),
        *("g10_revocation", "us_core_scopes_supported", "us_core_granular_scopes_1_granted"),
        *("us_core_granular_scopes_2_search_post", "us_core_granular_scopes_1_read"),
    )
    assert {f"{flow}.{name}" for flow in ("standalone", "ehr") for name in of_flows} | set(alone) <= ids


# How a server may fail: what it says wrong, and the checks that must notice.
Alter = Callable[[httpx.Request, int, dict[str, str], str], tuple[int, dict[str, str], str]]


def changed_json(path: str, **members: object) -> Alter:
    """Members of the JSON answers at addresses with this end, in place of the right ones; None leaves one out."""

    def alter(
        request: httpx.Request, status: int, headers: dict[str, str], text: str
    ) -> tuple[int, dict[str, str], str]:
        if not request.url.path.endswith(path) or status != 200:
            return status, headers, text
        body = {name: value for name, value in {**json.loads(text), **members}.items() if value is not None}
        return status, headers, json.dumps(body)

    return alter


def without_header(path: str, name: str) -> Alter:
    def alter(
        request: httpx.Request, status: int, headers: dict[str, str], text: str
    ) -> tuple[int, dict[str, str], str]:
        if request.url.path.endswith(path):
            headers = {each: value for each, value in headers.items() if each.lower() != name}
        return status, headers, text

    return alter


def always_good(path: str, body: dict[str, object], wrong: int = 400) -> Alter:
    """A server that grants what it must refuse."""

    def alter(
        request: httpx.Request, status: int, headers: dict[str, str], text: str
    ) -> tuple[int, dict[str, str], str]:
        if request.url.path.endswith(path) and status >= wrong:
            return 200, {**headers, "content-type": "application/json"}, json.dumps(body)
        return status, headers, text

    return alter


GRANTED = {
    "access_token": "x",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/*.rs",
    "refresh_token": "y",
}
FAULTS: dict[str, tuple[Alter, tuple[str, ...]]] = {
    "discovery without a token endpoint": (
        changed_json("smart-configuration", token_endpoint=None),
        ("well_known_capabilities_stu2", "standalone.smart_token_exchange_stu2_2"),
    ),
    "discovery with plain": (
        changed_json("smart-configuration", code_challenge_methods_supported=["S256", "plain"]),
        ("well_known_capabilities_stu2",),
    ),
    "no CORS": (
        without_header("smart-configuration", "access-control-allow-origin"),
        ("smart_cors_well_known_endpoint",),
    ),
    "expires_in as text": (changed_json("/token", expires_in="300"), ("standalone.smart_token_response_body_stu2_2",)),
    "answers that are kept": (without_header("/token", "cache-control"), ("standalone.smart_token_response_headers",)),
    "an ID token of somebody else": (changed_json("/token", id_token="e30.e30.x"), ("standalone.smart_openid_decode",)),
    "codes that are good twice": (always_good("/token", GRANTED), ("attack_code_replay", "g10_invalid_code")),
    "assertions that nobody checks": (
        always_good("/token", GRANTED),
        ("attack_jti_replay", "attack_assertion_wrong_key", "attack_assertion_far_future_exp"),
    ),
    "refreshing for more": (
        always_good("/token", GRANTED),
        ("attack_refresh_scope_every_type", "attack_refresh_reuse"),
    ),
    "tokens that are always active": (
        changed_json("/introspect", active=True),
        ("smart_token_introspection_inactive",),
    ),
    "records for everybody": (
        always_good("Patient/demo-patient-00001", {"resourceType": "Patient", "id": "demo-patient-00001"}),
        ("escalation_read", "user_may_not_launch_for_others"),
    ),
    "reading without a token": (
        always_good("Patient/demo-patient-00000", {"resourceType": "Patient", "id": "demo-patient-00000"}),
        ("g10_unauthorized_access",),
    ),
    "searching what was not granted": (
        always_good("/Condition", {"resourceType": "Bundle", "type": "searchset"}),
        ("g10_limited_grant_access", "escalation_total"),
    ),
}


class Careless(httpx.BaseTransport):
    """The real server, whose answers come out wrong."""

    def __init__(self, alter: Alter) -> None:
        self._alter = alter
        self._real = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._real.handle_request(request)
        text = answer.read().decode()
        kept = [(name, value) for name, value in answer.headers.multi_items() if name not in ("content-length",)]
        cookies = [pair for pair in kept if pair[0] == "set-cookie"]
        rest = {name: value for name, value in kept if name not in ("set-cookie", "content-encoding")}
        status, headers, text = self._alter(request, answer.status_code, rest, text)
        return httpx.Response(status, headers=[*headers.items(), *cookies], text=text, request=request)

    def close(self) -> None:
        self._real.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_server_is_found(fault, configuration):
    alter, ids = FAULTS[fault]
    by_id = {check.id: check for check in CHECKS}
    with SmartContext(configuration, transport=Careless(alter)) as context:
        results = list(run_checks([by_id[name] for name in ids], context))
    assert [(result.check.id, result.outcome) for result in results] == [(name, "fail") for name in ids]
    assert all(result.reason for result in results)


class Nothing:
    """A context without a server."""

    def __init__(self) -> None:
        self.log = HttpLog(["very-secret-password"])
        self.notes: list[str] = []
        self.statement = Statement()


def _checks() -> Checks:
    checks = Checks("Examples")

    @checks("good", "It is good.", "https://example.org/1")
    def _(context: Nothing) -> None:
        context.notes.append("But only just: very-secret-password.")

    @checks("bad", "It is good, too.", "https://example.org/2")
    def _(context: Nothing) -> None:
        expect(False, "It says very-secret-password.")

    @checks("elsewhere", "It would be good.", "https://example.org/3")
    def _(context: Nothing) -> None:
        raise Skip("There is none.")

    @checks("broken", "It breaks.", "https://example.org/4")
    def _(context: Nothing) -> None:
        raise KeyError("oops")

    return checks


def test_results_say_what_was_found_and_no_secrets():
    results = list(run_checks(_checks(), Nothing()))
    assert [result.outcome for result in results] == ["pass", "fail", "skip", "error"]
    assert [result.reason for result in results[:3]] == ["", f"It says {MASK}.", "There is none."]
    assert results[0].notes == (f"But only just: {MASK}.",)
    assert "KeyError" in results[3].reason


def test_the_table_names_failures_with_their_clause_and_counts_all():
    out = io.StringIO()
    results = print_results(run_checks(_checks(), Nothing()), out)
    text = out.getvalue()
    assert len(results) == 4
    assert "FAIL   bad" in text
    assert "https://example.org/2" in text
    assert "https://example.org/1" not in text
    assert "4 checks: 1 passed, 1 failed, 1 broke, 1 skipped" in text


def test_a_check_gets_only_its_own_exchanges_and_its_failure_is_kept(configuration):
    def run(context: SmartContext) -> None:
        context.api("a-token-of-a-user").get("Patient/x?token=abc")
        raise Failure("No.")

    with SmartContext(configuration) as context:
        context.http.get(f"{configuration.base_url}/metadata")
        result: Result = run_check(Check("x", "X", "X.", "https://example.org", run), context)
    assert len(result.exchanges) == 1
    assert result.exchanges[0].status == 401
    assert f"token={MASK}" in result.exchanges[0].url
    assert ("authorization", f"Bearer {MASK}") in result.exchanges[0].request_headers


def test_no_token_or_secret_of_a_launch_is_in_the_log(configuration):
    with SmartContext(configuration) as context:
        launched = context.launched(_wanted())
        context.refresh(_wanted(), launched.refresh_token)
        text = repr(context.log.take())
    secrets = [launched.access_token, launched.refresh_token, launched.authorization.code, *configuration.secrets()]
    secrets += [launched.token["id_token"], launched.authorization.verifier]
    assert len(text) > 1000
    assert [secret for secret in secrets if secret and secret in text] == []


def _wanted():
    from conformance.smart.launch import Wanted

    return Wanted(app="symmetric")


def test_codes_of_searches_are_not_taken_for_secrets():
    log = HttpLog()
    assert log.masked("/Observation?code=85354-9&patient=1") == "/Observation?code=85354-9&patient=1"
    assert log.masked(f"/cb?code={'a' * 43}&state=x") == f"/cb?code={MASK}&state=x"


def test_forms_are_read_as_browsers_do():
    page = read_page(
        """<form action="/next" method="POST"><input type=hidden name=h value="1&amp;2">
        <label for=a>First <b>one</b></label><input type=checkbox id=a name=c value=x checked>
        <label>Second<input type=checkbox name=c value=y></label><input name=t value=old disabled>
        <select name=s><option value=1>One<option value=2 selected>Two</select><textarea name=w>
        text</textarea><button name=b value=no>No</button><button name=b value=yes>Yes</button></form>
        <a href="/there">Go <i>there</i></a><script>var x = "<form>";</script>"""
    )
    (form,) = page.forms
    assert [control.label for control in form.of_kind("checkbox")] == ["First one", "Second"]
    assert form.data({"w": "new"}, {2: True}, form.buttons[1]) == [
        ("h", "1&2"),
        ("c", "x"),
        ("c", "y"),
        ("s", "2"),
        ("w", "new"),
        ("b", "yes"),
    ]
    assert page.links == [("/there", "Go there")]
    assert "var" not in page.text


def test_a_configuration_that_cannot_be_used_says_why(tmp_path, capsys):
    with pytest.raises(ConfigurationError, match="'public' is missing"):
        configuration_of({"base_url": "https://example.org/fhir"})
    with pytest.raises(ConfigurationError, match="unheard_of"):
        configuration_of({"unheard_of": 1})
    path = tmp_path / "config.json"
    path.write_text("[]")
    with pytest.raises(ConfigurationError, match="no JSON object"):
        read_configuration(path)
    assert main(["https://example.org/fhir", "--config", str(path)]) == 2
    assert "no JSON object" in capsys.readouterr().err


def test_the_command_prints_a_table_and_tells_by_its_exit_code(tmp_path, configuration_file, configuration, capsys):
    assert main([configuration.base_url, "--config", str(configuration_file), "--only", "well_known"]) == 0
    assert "passed" in capsys.readouterr().out
    elsewhere = f"{configuration.base_url}/nowhere"
    assert main([elsewhere, "--config", str(configuration_file), "--only", "well_known_endpoint"]) == 1
    assert "FAIL" in capsys.readouterr().out
    assert main([configuration.base_url, "--config", str(configuration_file), "--only", "no such check"]) == 2
