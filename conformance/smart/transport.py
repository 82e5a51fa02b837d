"""TLS: version 1.2 is spoken, and older ones are not. Only where the addresses are https.

https://hl7.org/fhir/R4/security.html#http
"""

from __future__ import annotations

import socket
import ssl
import warnings
from urllib.parse import urlsplit

from conformance.check import Checks, Skip, expect
from conformance.smart.clauses import TLS
from conformance.smart.context import SmartContext

checks = Checks("Transport")

ENDPOINTS = {
    "ehr_auth_tls": "authorization_endpoint",
    "token_tls": "token_endpoint",
    "smart_backend_services_token_tls_version": "token_endpoint",
}
OLD = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
SECONDS = 10


def _check(name: str, endpoint: str) -> None:
    @checks(name, f"The {endpoint.replace('_', ' ')} speaks TLS 1.2 or newer and nothing older.", TLS)
    def _(context: SmartContext) -> None:
        parts = urlsplit(context.endpoint(endpoint))
        if parts.scheme != "https":
            raise Skip(f"The {endpoint} is not https, so there is no TLS to be checked.")
        host, port = parts.hostname or "", parts.port or 443
        expect(
            _speaks(host, port, ssl.TLSVersion.TLSv1_2) or _speaks(host, port, ssl.TLSVersion.TLSv1_3), "No TLS 1.2."
        )
        for version in OLD:
            expect(not _speaks(host, port, version), f"{version.name} is spoken as well.")


def _speaks(host: str, port: int, version: ssl.TLSVersion) -> bool:
    tls = ssl.create_default_context()
    # What is asked is which versions are spoken, not whose certificate it is.
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        tls.minimum_version = tls.maximum_version = version
    try:
        with socket.create_connection((host, port), SECONDS) as plain, tls.wrap_socket(plain, server_hostname=host):
            return True
    except (ssl.SSLError, OSError):
        return False


for _name, _endpoint in ENDPOINTS.items():
    _check(_name, _endpoint)
