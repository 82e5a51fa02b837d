"""The load tool and the client: answers of every framing, from servers that keep connections and from those that do not."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.answer_reader import AnswerReader
from benchmarks.load_tool import Result, percentile, run
from benchmarks.target import Client, Target, UnexpectedStatus

BODY = b'{"resourceType":"Patient"}'
HEAD = b"HTTP/1.1 200 OK\r\n"
COMPLETE = {
    "with a length": HEAD + b"Content-Length: 5\r\n\r\nhello",
    "with a length and no space": HEAD + b"content-length:5\r\nX: y\r\n\r\nhello",
    "in chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n10;x=y\r\n0123456789abcdef\r\n0\r\n\r\n",
    "in chunks with a trailer": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
    "without a body": b"HTTP/1.1 204 No Content\r\n\r\n",
}


@pytest.mark.parametrize("answer", COMPLETE.values(), ids=list(COMPLETE))
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_an_answer_is_complete_with_its_last_byte_and_not_before(answer, step):
    reader = AnswerReader()
    parts = [answer[at : at + step] for at in range(0, len(answer), step)]
    assert [reader.feed(part) for part in parts] == [False] * (len(parts) - 1) + [True]
    assert reader.status == int(answer[9:12])
    assert not reader.closes


def test_an_answer_of_no_told_length_ends_with_its_connection():
    reader = AnswerReader()
    assert not reader.feed(HEAD + b"\r\nhello")
    assert reader.end()
    assert reader.closes


def test_an_answer_that_breaks_off_is_none():
    reader = AnswerReader()
    assert not reader.feed(HEAD + b"Content-Length: 5\r\n\r\nhell")
    assert not reader.end()


class Handler(BaseHTTPRequestHandler):
    """Answers as its server's `framing` says."""

    framing = "length"

    def do_GET(self) -> None:
        self.send_response(200)
        if self.framing == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))
        else:
            if self.framing == "length":
                self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_error(405)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


class Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """The load tool goes away while its last requests are answered."""


@pytest.fixture(params=[("length", "HTTP/1.1"), ("chunked", "HTTP/1.1"), ("length", "HTTP/1.0"), ("none", "HTTP/1.0")])
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """A server that frames its answers in one of several ways."""
    framing, protocol = request.param
    handler = type("Framed", (Handler,), {"framing": framing, "protocol_version": protocol})
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=lambda: server.serve_forever(0.01))
        thread.start()
        yield Target("peer", "127.0.0.1", server.server_port)
        server.shutdown()
        thread.join()


def test_the_load_tool_gets_answers_from_all_of_these_servers(target):
    result = run(target, itertools.repeat(target.request("GET", "/Patient/1")), connections=2, seconds=0.05)
    assert set(result.expect(200).statuses) == {200}
    assert len(result.latencies) > 2


def test_the_client_gets_answers_from_all_of_these_servers(target):
    with Client(target) as client:
        assert [client.ask("GET", "/Patient/1").body for _ in range(3)] == [BODY] * 3
        assert client.ask("POST", "/Patient", b"{}").status == 405
        with pytest.raises(UnexpectedStatus, match="405 to POST /Patient"):
            client.expect((201,), "POST", "/Patient", b"{}")


def test_a_result_with_other_statuses_than_expected_is_refused():
    with pytest.raises(UnexpectedStatus, match="ours answered"):
        Result(1.0, "ours", [0.1, 0.2], {200: 1, 500: 1}).expect(200)


def test_percentiles_are_values_that_were_measured():
    values = [float(value) for value in range(100, 0, -1)]
    assert percentile(values, 0.99) == 100.0
    assert percentile(values, 0.5) == 51.0
    assert percentile([3.0], 0.99) == 3.0


def test_a_target_is_an_http_address_and_its_token_goes_with_every_request():
    target = Target.at("peer", "http://example.org:8090/base/fhir/", token="secret")
    assert target.request("GET", "/Patient/1").startswith(
        b"GET /base/fhir/Patient/1 HTTP/1.1\r\nHost: example.org:8090\r\n"
    )
    assert b"Authorization: Bearer secret\r\n" in target.request("GET", "/Patient/1")
    assert "secret" not in repr(target)
    with pytest.raises(ValueError, match="no http:// address"):
        Target.at("peer", "https://example.org/fhir")
