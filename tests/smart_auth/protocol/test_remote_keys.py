"""Fetching the key sets of clients over a real network, with care.

https://owasp.org/www-community/attacks/Server_Side_Request_Forgery
"""

import ipaddress
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from smart_auth.clients import remote_keys
from smart_auth.clients.remote_keys import KeysUnavailable, RemoteKeys, fetch, is_public

KEYS = {"keys": [{"kty": "RSA", "kid": "a"}]}


class Publisher(BaseHTTPRequestHandler):
    """Answers by path."""

    def do_GET(self):
        body, status, headers = json.dumps(KEYS).encode(), 200, {}
        if self.path.startswith("/max-age"):
            headers["Cache-Control"] = "public, max-age=60"
        elif self.path == "/long":
            headers["Cache-Control"] = "max-age=999999999"
        elif self.path == "/no-store":
            headers["Cache-Control"] = "no-store"
        elif self.path == "/redirect":
            status, headers = 302, {"Location": "/keys"}
        elif self.path == "/missing":
            status = 404
        elif self.path == "/html":
            body = b"<html>"
        elif self.path == "/deep":
            body = b"[" * 60_000
        elif self.path == "/no-keys":
            body = b'{"keys": []}'
        elif self.path == "/list":
            body = b"[1]"
        elif self.path == "/odd":
            body = b'{"keys": [1]}'
        elif self.path == "/large":
            body = b'{"keys": [{"x": "' + b"x" * 70_000 + b'"}]}'
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(20):
                self.wfile.write(b" ")
                time.sleep(0.05)
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def publisher():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("path", "seconds"), [("/keys", 300), ("/max-age?x=1", 60), ("/long", 3600), ("/no-store", 0)])
def test_a_key_set_is_kept_no_longer_than_its_server_says(publisher, path, seconds):
    fetched = fetch(publisher + path, True)
    assert [key["kid"] for key in fetched.keys] == ["a"]
    assert fetched.seconds == seconds


def test_a_host_name_that_means_this_machine_works_for_development(publisher):
    assert fetch(publisher.replace("127.0.0.1", "localhost"), True).keys


@pytest.mark.parametrize("path", ["/redirect", "/missing", "/html", "/deep", "/no-keys", "/list", "/odd", "/large"])
def test_an_answer_that_is_no_key_set_is_refused(publisher, path):
    with pytest.raises(KeysUnavailable):
        fetch(publisher + path, True)


def test_an_answer_that_takes_too_long_is_refused(publisher, monkeypatch):
    monkeypatch.setattr(remote_keys, "TIMEOUT_SECONDS", 0.3)
    with pytest.raises(KeysUnavailable, match="slowly"):
        fetch(publisher + "/slow", True)


@pytest.mark.parametrize(
    "address",
    [
        *("https://127.0.0.1/keys", "https://localhost/keys", "https://10.0.0.1/keys", "https://192.168.1.1/"),
        *("https://169.254.169.254/latest/meta-data", "https://[::1]/", "https://[fe80::1]/", "https://[fc00::1]/"),
        *("https://[::ffff:127.0.0.1]/", "https://0.0.0.0/", "https://[64:ff9b::7f00:1]/", "https://2130706433/"),
        *("http://example.org/keys", "ftp://example.org/", "https:///x", "https://name.invalid/", "file:///etc/passwd"),
    ],
)
def test_nothing_but_the_public_internet_is_asked(address):
    with pytest.raises(KeysUnavailable):
        fetch(address, False)


def test_development_opens_this_machine_and_no_other(publisher):
    with pytest.raises(KeysUnavailable):
        fetch("http://10.0.0.1/keys", True)
    with pytest.raises(KeysUnavailable):
        fetch(publisher + "/keys", False)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("2002:7f00:1::", False),
        ("::ffff:8.8.8.8", False),
    ],
)
def test_which_addresses_are_of_the_public_internet(address, expected):
    assert is_public(ipaddress.ip_address(address)) is expected


def test_a_server_that_is_down_is_refused():
    with pytest.raises(KeysUnavailable):
        fetch("http://127.0.0.1:1/keys", True)


def test_many_who_need_the_same_keys_at_once_fetch_them_once(publisher, together):
    fetched = []

    def counting(address, allow_loopback):
        fetched.append(address)
        time.sleep(0.05)
        return fetch(address, allow_loopback)

    keys = RemoteKeys(counting)
    found = together(lambda number: keys.find(publisher + "/keys", "a", 1_000 + number, True), 6)
    assert [[key["kid"] for key in each] for each in found] == [["a"]] * 6
    assert len(fetched) == 1
