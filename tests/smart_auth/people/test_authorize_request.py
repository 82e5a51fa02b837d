"""What an authorization request must be like, and where it is answered if it is not.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code
https://www.rfc-editor.org/rfc/rfc9700#section-4.1
"""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

REDIRECT = "https://app.example.org/callback"
FORM = "application/x-www-form-urlencoded"


def ask(world, browser, client, **changed):
    return browser.get("/auth/authorize", **world.request(client, **changed))


def is_page(answer, status=400):
    """Whether it is a page of ours that leads nowhere."""
    return (
        answer.status_code == status
        and answer.mimetype == "text/html"
        and "Location" not in answer.headers
        and "Refresh" not in answer.headers
    )


@pytest.mark.parametrize(
    "redirect_uri",
    [
        None,
        "",
        "https://evil.example.org/callback",
        "https://app.example.org/callback/",
        "https://app.example.org/callback/more",
        "https://app.example.org/callback?x=1",
        "https://app.example.org/callback#here",
        "https://app.example.org/callbac",
        "https://app.example.org:444/callback",
        "https://app.example.org:443/callback",
        "https://APP.example.org/callback",
        "HTTPS://app.example.org/callback",
        "http://app.example.org/callback",
        "//app.example.org/callback",
        "https://app.example.org@evil.example.org/callback",
        "https://app.example.org.evil.example.org/callback",
        "https://app.example.org/x/../callback",
        "https://app.example.org/%63allback",
        "https://app.example.org\\@evil.example.org/callback",
        " https://app.example.org/callback",
        "https://app.example.org/callback\n",
        "https://app.example.org/callback\r\nSet-Cookie: a=b",
        "https://app.example.org/callback\x00",
        'https://app.example.org/callback"',
        "https://app.example.org/cällback",
        "javascript:alert(1)",
        "data:text/html,x",
        "*",
    ],
)
def test_a_redirect_uri_that_is_not_registered_is_answered_by_a_page_and_followed_nowhere(world, browser, redirect_uri):
    answer = ask(world, browser, world.client(), redirect_uri=redirect_uri)
    assert is_page(answer)
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    ("registered", "asked", "is_good"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", True),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1:51004/cb", True),
        ("http://[::1]/cb", "http://[::1]:9/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/other", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb?x=1", False),
        ("http://127.0.0.1/cb", "https://127.0.0.1/cb", False),
        ("http://127.0.0.1/cb", "http://[::1]/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example.org/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example.org/cb", False),
        ("http://localhost:8000/cb", "http://localhost:8001/cb", False),
        ("https://app.example.org/callback", "https://app.example.org:8443/callback", False),
    ],
)
def test_only_the_port_of_a_loopback_address_may_differ(world, browser, registered, asked, is_good):
    client = world.client(redirect_uris=[registered])
    answer = ask(world, browser, client, redirect_uri=asked)
    assert answer.status_code == (303 if is_good else 400)


@pytest.mark.parametrize("client_id", [None, "", "unknown", 'a"b', "ü", "\x00", "a" * 5000])
def test_an_unknown_client_is_answered_by_a_page(world, browser, client_id):
    assert is_page(ask(world, browser, world.client(), client_id=client_id))


def test_an_inactive_client_and_one_without_users_are_answered_by_a_page(world, browser):
    assert is_page(ask(world, browser, world.client(is_active=False)))


def test_error_pages_quote_nothing_of_the_request_and_name_the_incident(world, browser):
    answer = ask(world, browser, world.client(), redirect_uri="https://evil.example.org/<script>", state="secret-state")
    for quoted in ("evil", "script", "secret-state"):
        assert quoted not in answer.text
    assert "give this number: <code>" in answer.text


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": None}, "invalid_request"),
        ({"scope": ""}, "invalid_request"),
        ({"scope": "launch patient/*.rs"}, "invalid_request"),
        ({"scope": "nonsense"}, "access_denied"),
        ({"scope": "system/*.rs"}, "access_denied"),
        ({"state": None}, "invalid_request"),
        ({"aud": None}, "invalid_request"),
        ({"aud": "https://other.example.org/fhir"}, "invalid_request"),
        ({"aud": "http://localhost:8080/fhir//"}, "invalid_request"),
        ({"aud": "http://localhost:8080/FHIR"}, "invalid_request"),
        ({"aud": "http://localhost:8080/fhir?x"}, "invalid_request"),
        ({"aud": "http://localhost:8080@evil/fhir"}, "invalid_request"),
        ({"aud": "http://localhost:8080/fhir", "resource": "https://other.example.org"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "x" * 129}, "invalid_request"),
        ({"code_challenge": "+" * 43}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"launch": "never-made"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "٣"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "urn:x"}, "request_uri_not_supported"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_every_other_fault_goes_back_to_the_app(world, browser, answer_to_app, changed, error):
    client = world.client()
    told = answer_to_app(browser.follow(ask(world, browser, client, **changed)))
    assert told["error"] == error
    assert told["iss"] == world.services.settings.issuer
    assert told.get("state") == (None if changed.get("state", "") is None else "s-1")
    assert all(32 <= ord(sign) < 127 and sign not in '"\\' for sign in told["error_description"])
    assert "code" not in told
    last = world.events[-1]
    assert (last.code, last.succeeded, last.client_id) == ("denied", False, client.client_id)


def test_a_confidential_client_needs_pkce_too(world, browser, answer_to_app):
    client = world.client("confidential-symmetric")
    told = answer_to_app(ask(world, browser, client, code_challenge=None, code_challenge_method=None))
    assert told["error"] == "invalid_request"


@pytest.mark.parametrize(
    "aud", ["http://localhost:8080/fhir", "http://localhost:8080/fhir/", "http://LOCALHOST:8080/fhir"]
)
def test_aud_may_end_with_a_slash_and_its_host_have_any_case(world, browser, aud):
    assert ask(world, browser, world.client(), aud=aud).location.startswith("/auth/continue?tx=")


def test_resource_says_the_same_as_aud(world, browser):
    resource = world.services.settings.fhir_base
    answer = ask(world, browser, world.client(), aud=None, resource=resource)
    assert answer.location.startswith("/auth/continue?tx=")


@pytest.mark.parametrize("name", ["response_type", "scope", "state", "aud", "code_challenge", "nonce", "prompt", "x"])
def test_a_repeated_parameter_goes_back_to_the_app(world, browser, answer_to_app, name):
    request = world.request(world.client())
    pairs = [*request.items(), (name, request.get(name, "1")), (name, "2")]
    told = answer_to_app(browser.get(f"/auth/authorize?{urlencode(pairs)}"))
    assert told["error"] == "invalid_request"
    assert ("state" in told) == (name != "state")


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_a_repeated_address_or_client_is_answered_by_a_page(world, browser, name):
    request = world.request(world.client())
    pairs = [*request.items(), (name, request[name])]
    assert is_page(browser.get(f"/auth/authorize?{urlencode(pairs)}"))


def test_a_request_may_be_posted_from_another_site_without_cookies(world, browser, answer_to_app):
    browser.signed_in("rosalia")
    request = world.request(world.client(skips_consent=True))
    cross_site = world.browser()  # the cookie does not come along with a post from elsewhere
    answer = cross_site.post("/auth/authorize", request, headers={"Origin": "https://app.example.org"})
    assert answer.status_code == 303
    assert answer.location.startswith("/auth/continue?tx=")
    assert "code" in answer_to_app(browser.get(answer.location))


def test_a_posted_request_may_have_parameters_in_its_address_too_but_none_twice(world, browser, answer_to_app):
    request = world.request(world.client())
    scope = request.pop("scope")
    answer = browser.post(f"/auth/authorize?{urlencode({'scope': scope})}", request)
    assert answer.location.startswith("/auth/continue?tx=")
    told = answer_to_app(browser.post("/auth/authorize?state=other", request))
    assert told["error"] == "invalid_request"


def test_a_body_that_is_no_form_or_too_long_is_answered_by_a_page(world, browser):
    request = world.request(world.client())
    assert is_page(browser.post("/auth/authorize", "{}", content_type="application/json"), 415)
    assert is_page(browser.post("/auth/authorize", {**request, "state": "s" * 70_000}), 413)


@pytest.mark.parametrize(
    "state",
    [
        b"plain",
        b"a b+c",
        b"a%20b",
        b'"quoted\\"',
        b"\xc3\xa9t\xc3\xa9",
        b"\xff\xfe\x00",
        b"a&b=c#d?e;f",
        b"~!*'()",
        b"%",
        b"\r\n",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_state_goes_back_byte_for_byte(world, browser, state, method):
    client = world.client(skips_consent=True)
    browser.signed_in("rosalia")
    encoded = urlencode({**world.request(client, state=None), "state": state})
    answer = (
        browser.get(f"/auth/authorize?{encoded}")
        if method == "GET"
        else browser.post("/auth/authorize", encoded, content_type=FORM)
    )
    location = browser.get(answer.location).location
    returned = location.partition("state=")[2].partition("&")[0]
    from urllib.parse import unquote_to_bytes

    assert unquote_to_bytes(returned) == state


@pytest.mark.parametrize(
    "registered",
    ["https://app.example.org/cb?tenant=a%20b&x=", "https://app.example.org/cb?", "com.example.app:/cb?x=1"],
)
def test_the_query_of_a_redirect_uri_is_kept(world, browser, registered):
    client = world.client(redirect_uris=[registered], skips_consent=True)
    browser.signed_in("rosalia")
    location = browser.follow(ask(world, browser, client, redirect_uri=registered)).location
    joint = "" if registered.endswith("?") else "&"
    assert location.startswith(f"{registered}{joint}code=")
    assert location.count("?") == 1


VALUES = [
    '"',
    "é",
    "\x00",
    "\ud800",
    "<b>",
    "a\r\nb",
    "{{7*7}}",
    "%",
    "x" * 10_000,
    "[",
    "http://[",
    "٣",
    "$where",
    "{}",
]
NAMES = [
    "client_id",
    "redirect_uri",
    "scope",
    "aud",
    "state",
    "nonce",
    "prompt",
    "max_age",
    "launch",
    "code_challenge",
    "x",
]


@pytest.mark.parametrize("name", NAMES)
def test_odd_characters_in_a_parameter_are_never_a_fault(world, browser, name):
    client = world.client()
    for value in VALUES:
        pairs = {**world.request(client), name: value.encode("utf-8", "surrogatepass")}
        answer = browser.follow(browser.get(f"/auth/authorize?{urlencode(pairs)}"))
        assert answer.status_code in (200, 303, 400), (name, value, answer.status_code)


def test_broken_percent_signs_and_raw_bytes_are_never_a_fault(world, browser):
    good = urlencode(world.request(world.client()))
    for extra in ("%", "%zz", "%ff=%ff", "&&&=&", "=", "a=%00", "scope=%ff"):
        assert browser.get(f"/auth/authorize?{good}&{extra}").status_code in (303, 400)
    assert browser.post("/auth/authorize", b"\xff\xfe=\x00&client_id=\xff", content_type=FORM).status_code == 400


def test_every_page_and_redirect_has_the_safe_headers_and_no_cors(world, browser):
    answers = [
        ask(world, browser, world.client()),
        ask(world, browser, world.client(), client_id="x"),
        browser.get("/auth/sign-in"),
        browser.get("/auth/manage"),
        browser.get("/auth/continue", tx="x"),
        browser.get("/auth/signed-out"),
        browser.post("/auth/consent", {}),
    ]
    for answer in answers:
        headers = answer.headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Access-Control-Allow-Origin" not in headers
        policy = headers["Content-Security-Policy"]
        for part in ("default-src 'none'", "style-src 'self'", "frame-ancestors 'self'", "form-action 'self'"):
            assert part in policy
        assert "unsafe" not in policy


def test_forms_may_lead_to_the_app_only_on_the_pages_of_its_request(world, browser):
    page = browser.follow(ask(world, browser, world.client()))
    assert page.headers["Content-Security-Policy"].endswith("form-action 'self' https:")
    assert browser.get("/auth/sign-in").headers["Content-Security-Policy"].endswith("form-action 'self'")
    native = world.client(redirect_uris=["com.example.app:/cb"])
    page = browser.follow(ask(world, browser, native, redirect_uri="com.example.app:/cb"))
    assert page.headers["Content-Security-Policy"].endswith("form-action 'self' com.example.app:")
