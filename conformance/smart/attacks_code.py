"""Attacks on the authorization code: used twice, used at once, used by another app, sent elsewhere, without PKCE.

https://www.rfc-editor.org/rfc/rfc9700
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx

from conformance.browser import Arrived
from conformance.check import Checks, expect
from conformance.smart.clauses import BEST_PRACTICE, OAUTH, PKCE, SMART
from conformance.smart.context import SmartContext
from conformance.smart.flows import FLOWS, STANDALONE
from conformance.smart.launch import Authorization, challenge_of, described, json_of, new_verifier

checks = Checks("Attacks on the code")

PUBLIC = FLOWS["standalone_public"]
AT_ONCE = 8


def expect_error(response: httpx.Response, error: str, status: int = 400) -> None:
    """The answer is this error of OAuth's. Raises a Failure."""
    expect(response.status_code == status, f"It was answered {response.status_code}: {response.text[:200]}")
    found = json_of(response, status).get("error")
    expect(found == error, f"The error is {found!r} and not {error!r}.")


@checks("attack_code_replay", "A code that comes again is refused, and what it brought ends.", f"{OAUTH}#section-4.1.2")
def _(context: SmartContext) -> None:
    for wanted in (STANDALONE, PUBLIC):
        launched = context.fresh(wanted)
        expect_error(context.exchange(launched.authorization), "invalid_grant")
        expect(context.ends_soon(launched.access_token), "The access token of the code still works.")
        expect_error(context.refresh(wanted, launched.refresh_token), "invalid_grant")


@checks(
    "attack_parallel_exchange", "Of many exchanges of one code at once, exactly one succeeds.", f"{OAUTH}#section-4.1.2"
)
def _(context: SmartContext) -> None:
    for wanted in (STANDALONE, PUBLIC):
        authorization, line = context.authorize(wanted), Barrier(AT_ONCE)

        def exchange(_: int, authorization: Authorization = authorization, line: Barrier = line) -> int:
            line.wait(60)
            return context.exchange(authorization).status_code

        with ThreadPoolExecutor(AT_ONCE) as pool:
            statuses = sorted(pool.map(exchange, range(AT_ONCE)))
        expect(statuses == [200] + [400] * (AT_ONCE - 1), f"The answers were {statuses}.")


@checks(
    "attack_foreign_code", "An app gets nothing for another app's code, which stays good.", f"{OAUTH}#section-4.1.3"
)
def _(context: SmartContext) -> None:
    authorization = context.authorize(PUBLIC)
    thief = context.configuration.symmetric
    form = {
        "grant_type": "authorization_code",
        "code": authorization.code,
        "redirect_uri": authorization.sent["redirect_uri"],
        "code_verifier": authorization.verifier,
    }
    expect_error(context.token_request(thief, form), "invalid_grant")
    json_of(context.exchange(authorization))


REDIRECT_URIS = {
    "longer_path": "{0}/more",
    "dots": "{0}/../evil",
    "query": "{0}?next=evil",
    "fragment": "{0}#evil",
    "slash": "{0}/",
    "case": "{upper}",
    "userinfo": "{userinfo}",
    "other_port": "{port}",
    "other_scheme": "{scheme}",
    "subdomain": "{subdomain}",
    "suffix": "{suffix}",
    "encoded": "{encoded}",
    "script": "javascript:alert(1)//{0}",
    "elsewhere": "https://evil.example.org/",
}


def _variant(pattern: str, right: str) -> str:
    scheme, _, rest = right.partition("://")
    host, slash, path = rest.partition("/")
    name, _, port = host.partition(":")
    return pattern.format(
        right,
        upper=f"{scheme}://{host}{slash}{path.upper()}",
        userinfo=f"{scheme}://{name}@evil.example.org{slash}{path}",
        port=f"{scheme}://{name}:{'8443' if port != '8443' else '9443'}{slash}{path}",
        scheme=f"{'http' if scheme == 'https' else 'https'}://{rest}",
        subdomain=f"{scheme}://evil.{host}{slash}{path}",
        suffix=f"{scheme}://{name}.evil.example.org{slash}{path}",
        encoded=f"{scheme}://{host}{slash}%2e%2e/{path}",
    )


for _name, _pattern in REDIRECT_URIS.items():

    @checks(
        f"attack_redirect_uri_{_name}",
        "A redirect URI that is not exactly a registered one gets neither a code nor a redirect.",
        f"{BEST_PRACTICE}#section-2.1",
    )
    def _(context: SmartContext, pattern: str = _pattern) -> None:
        wrong = _variant(pattern, context.configuration.symmetric.redirect_uri)
        authorization = context.authorize(STANDALONE, redirect_uri=wrong)
        end = authorization.visit.end
        expect(not isinstance(end, Arrived), f"The browser was sent to {wrong}.")
        expect(not authorization.answer, "The app got an answer.")
        status = end.response.status_code
        expect(status >= 400, f"The request was answered {status}.")


@checks("attack_redirect_uri_missing", "Without a redirect URI there is no redirect.", f"{OAUTH}#section-3.1.2.4")
def _(context: SmartContext) -> None:
    end = context.authorize(STANDALONE, redirect_uri=None).visit.end
    expect(not isinstance(end, Arrived) and end.status >= 400, f"It ended with {described(end)}.")


@checks("attack_redirect_uri_at_exchange", "The exchange must repeat the redirect URI.", f"{OAUTH}#section-4.1.3")
def _(context: SmartContext) -> None:
    for wrong in ("https://evil.example.org/", f"{context.configuration.symmetric.redirect_uri}/", None):
        answer = context.exchange(context.authorize(STANDALONE), redirect_uri=wrong)
        expect(answer.status_code == 400, f"With {wrong!r} it was answered {answer.status_code}.")


CHALLENGES: dict[str, dict[str, str | None]] = {
    "missing": {"code_challenge": None, "code_challenge_method": None},
    "without_method": {"code_challenge_method": None},
    "plain": {"code_challenge_method": "plain"},
    "short": {"code_challenge": "abc"},
    "empty": {"code_challenge": ""},
}
for _name, _changed in CHALLENGES.items():

    @checks(
        f"attack_pkce_{_name}",
        "A request without a challenge by S256 gets no code, whatever the kind of the app.",
        f"{SMART}/app-launch.html#considerations-for-pkce-support",
    )
    def _(context: SmartContext, changed: dict[str, str | None] = _changed) -> None:
        for wanted in (STANDALONE, PUBLIC, FLOWS["standalone_asymmetric"]):
            authorization = context.authorize(wanted, **changed)
            expect("code" not in authorization.answer, f"The {wanted.app} app got a code.")
            error = authorization.answer.get("error")
            expect(error == "invalid_request", f"The {wanted.app} app got the error {error!r}.")


@checks(
    "attack_pkce_downgrade",
    "A verifier of another request is refused, and the code is of no more use.",
    f"{PKCE}#section-4.6",
)
def _(context: SmartContext) -> None:
    verifier = new_verifier()
    authorization = context.authorize(PUBLIC)
    expect(challenge_of(verifier) != authorization.sent["code_challenge"], "The verifiers are the same.")
    expect_error(context.exchange(authorization, code_verifier=verifier), "invalid_grant")
    expect(context.exchange(authorization).status_code == 400, "The code can be tried again.")


@checks(
    "attack_repeated_parameter", "An authorization request with a parameter twice gets no code.", f"{OAUTH}#section-3.1"
)
def _(context: SmartContext) -> None:
    authorization = context.authorize(
        STANDALONE, **{"client_id": context.configuration.symmetric.client_id, "scope": None}
    )
    expect("code" not in authorization.answer, "Without a scope a code was given.")
    browser, address = context.browser(STANDALONE.person), context.endpoint("authorization_endpoint")
    pairs = [*context.authorize(STANDALONE).sent.items(), ("scope", "patient/Patient.rs")]
    end = browser.post(address, pairs)
    expect(not isinstance(end, Arrived) or "code=" not in end.url, "With the scope twice a code was given.")


@checks(
    "attack_launch_handle",
    "A launch that never was, is over or is another app's brings no code.",
    f"{SMART}/app-launch.html#launch-app-ehr-launch",
)
def _(context: SmartContext) -> None:
    wanted = FLOWS["ehr"]
    used = context.launched(wanted).authorization.sent["launch"]
    foreign = context.authorize(FLOWS["ehr_public"], client_id="BAD_CLIENT_ID").sent["launch"]
    for name, handle in (("made up", "not-a-launch"), ("used", used), ("another app's", foreign), ("missing", None)):
        authorization = context.authorize(wanted, launch=handle)
        expect("code" not in authorization.answer, f"With a launch that is {name} a code was given.")
        error = authorization.answer.get("error")
        expect(error == "invalid_request", f"With a launch that is {name} the error is {error!r}.")


@checks(
    "attack_launch_of_another_user",
    "A launch is good only for the user who made it.",
    f"{SMART}/app-launch.html#launch-app-ehr-launch",
)
def _(context: SmartContext) -> None:
    wanted = FLOWS["ehr"]
    handle = context.authorize(wanted, client_id="BAD_CLIENT_ID").sent["launch"]
    authorization = context.authorize(STANDALONE, launch=handle, scope=wanted.scope)
    expect("code" not in authorization.answer, "Another user got a code.")
    expect(authorization.answer.get("error"), "The app got no error.")
