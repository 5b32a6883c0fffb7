# SPDX-License-Identifier: Apache-2.0
"""Who only connects keeps nobody out: half-sent requests by the thousand, and scrapes that go on."""

import contextlib
import http.client
import itertools
import json
import resource
import socket

import pytest

from web_configuration import Served

CHECKS = {"checks": [{"name": "root", "cache": "1h", "disk": {"mountpoints": ["/"]}}]}
REMEDIATIONS = {"escalate_to": "nobody", "remediations": [{"name": "look", "match": ['alertname="look"'], "steps": [{"host.memory": {}}]}]}
HALF_SENT = 2000


@pytest.fixture(autouse=True)
def descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, HALF_SENT + 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(params=["exporter", "responder"])
def daemon(request, binaries, tmp_path):
    responder = request.param == "responder"
    served = Served(getattr(binaries, request.param), tmp_path / "daemon", REMEDIATIONS if responder else CHECKS, None,
                    *([f"--journal={tmp_path}/journal.db"] if responder else [])).start()
    served.is_responder = responder
    served.token = tmp_path / "tokens/operator"
    yield served
    assert served.process.stop() == 0


def ask(port, method="GET", path="/metrics", source="127.0.0.1", token=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(source, 0))
    try:
        shown = {"Authorization": f"Bearer {token.read_text().strip()}"} if token else {}
        connection.request(method, path, body=None if method == "GET" else '{"by": "ada"}', headers=shown)
        return connection.getresponse().status
    finally:
        connection.close()


@contextlib.contextmanager
def half_sent(port, sources, words=b"GET /met", count=HALF_SENT):
    """Connections that have begun to ask, and stay. What the server ends is left as it is."""
    held = []
    try:
        for source in itertools.islice(itertools.cycle(sources), count):
            connection = socket.socket()
            held.append(connection)
            connection.settimeout(30)
            connection.bind((source, 0))
            connection.connect(("127.0.0.1", port))
            with contextlib.suppress(ConnectionError):
                connection.sendall(words)
        yield held
    finally:
        for connection in held:
            connection.close()


@pytest.mark.parametrize("words", [b"GET /met", b"", b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-",
                                   b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\nhalf"],
                         ids=["line", "nothing", "head", "body"])
def test_i1_half_sent_requests_keep_no_scrape_out(daemon, words):
    kept = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30, source_address=("127.0.0.99", 0))
    kept.request("GET", "/metrics")
    assert kept.getresponse().read()
    mine = kept.sock
    with half_sent(daemon.port, [f"127.0.0.{last}" for last in range(2, 12)], words):
        for _ in range(3):
            assert ask(daemon.port) == 200
            assert ask(daemon.port, source="127.0.0.77") == 200
            assert ask(daemon.port, source="127.0.0.5") == 200  # also from where they come
        if daemon.is_responder:
            assert ask(daemon.port, "POST", "/-/pause", token=daemon.token) == 200
            assert ask(daemon.port, "POST", "/-/resume", token=daemon.token) == 200
        kept.request("GET", "/metrics")
        assert kept.getresponse().read()
        assert kept.sock is mine  # a connection that is used is not the one that has to go
    kept.close()


def test_i1_from_one_address_and_from_that_of_the_scrapes(daemon):
    with half_sent(daemon.port, ["127.0.0.1"]):
        assert ask(daemon.port) == 200
        assert ask(daemon.port, source="127.0.0.2") == 200


def test_i1_answers_that_nobody_takes_keep_no_scrape_out(daemon):
    with half_sent(daemon.port, ["127.0.0.2", "127.0.0.3"], b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"):
        assert ask(daemon.port) == 200


@pytest.mark.parametrize("daemon", ["responder"], indirect=True)
def test_f9_bodies_that_were_announced_and_not_sent_keep_no_body_out(daemon):
    """Also a body that is there but for its last byte: 64 MiB of these are what all may take together."""
    shown = {role: f"Bearer {(daemon.token.parent / role).read_text().strip()}" for role in ("alerts", "operator")}
    head = (b"POST /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16777216\r\n"
            b"Authorization: %s\r\n\r\n" % shown["alerts"].encode())
    nothing = json.dumps({"version": "4", "alerts": []})

    def post(path, body):
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30)
        connection.request("POST", path, body, {"Authorization": shown["alerts" if "alerts" in path else "operator"]})
        return connection.getresponse().status

    for words, count in ((head + b"{", 100), (head + b" " * (16777216 - 1), 8)):
        with half_sent(daemon.port, ["127.0.0.2"], words, count):
            assert post("/-/pause", '{"by": "ada"}') == 200
            assert post("/-/resume", '{"by": "ada"}') == 200
            assert post("/api/v1/alerts", nothing) == 200


AMBIGUOUS = [b"Content-Length: 0\r\nContent-Length: 4\r\n", b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
             b"Transfer-Encoding : chunked\r\n", b"X: a\0b\r\n", b"Host: evil\r\n", b"X: a\r\n b\r\n"]


def test_f27_neither_daemon_does_what_is_behind_an_ambiguous_head(daemon):
    token = b"Authorization: Bearer " + daemon.token.read_bytes().strip() + b"\r\n" if daemon.is_responder else b""
    behind = (b"POST /-/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 27\r\n" + token +
              b'\r\n{"by": "eve", "reason": "."}')
    for header in AMBIGUOUS:
        with socket.create_connection(("127.0.0.1", daemon.port), timeout=30) as connection:
            connection.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n" + behind)
            answered = b""
            with contextlib.suppress(ConnectionResetError):
                while got := connection.recv(65536):
                    answered += got
        assert answered.startswith(b"HTTP/1.1 400 ") and answered.count(b"HTTP/1.1 ") == 1, answered
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=30) as connection:
        connection.sendall(b"GET /-/healthy HTTP/1.0\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.")
    if daemon.is_responder:
        assert json.loads(daemon.curl("/api/v1/status")[2])["paused"] is False
