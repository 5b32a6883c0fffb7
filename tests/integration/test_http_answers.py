# SPDX-License-Identifier: Apache-2.0
"""What servers send beside a plain answer: encodings, redirects, pages without end, other names, proxies, 1xx."""

import contextlib
import gzip
import json
import socket
import threading
import zlib

import pytest

from harness.target import Target
from lab.certificates import Authority
from scraping import scrape, value

HEALTH = json.dumps({"status": "healthy", "version": "1.2.3"}).encode()


@contextlib.contextmanager
def server(*answers):
    """Sends each request the next answer, the last one again and again; tells the requests' heads."""
    heads, left = [], list(answers)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)

        def talk(connection):
            with connection, contextlib.suppress(OSError):
                head = b""
                while b"\r\n\r\n" not in head:
                    piece = connection.recv(4096)
                    if not piece:
                        return
                    head += piece
                heads.append(head.decode())
                answer = left.pop(0) if len(left) > 1 else left[0]
                for piece in answer if isinstance(answer, (list, tuple)) else (answer,):
                    if callable(piece):
                        piece(connection)
                    else:
                        connection.sendall(piece)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/", heads
        listener.shutdown(socket.SHUT_RDWR)


def answer(body, *lines, status="200 OK"):
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def check(exporter, **options):
    daemon = exporter([{"name": "it", "http": options}])
    found = scrape(daemon)
    return daemon, found, value(found, "runbook_check_success", check="it")


def test_n28_an_error_says_first_whose_it_is(exporter, target, hole):
    target.says({"status": "degraded"}, 404)
    host, port = hole.split("/")[2].split(":")
    daemon = exporter([{"name": "status", "http": {"url": target.url + "health?token=secret"}},
                       {"name": "field", "http": {"url": target.url, "status": 404, "json": {"state": "ok"}}},
                       {"name": "late", "timeout": "1s", "postgres": {"dsn": f"host={host} port={port} dbname=x user=x"}}])
    scrape(daemon)
    page = daemon.page("/")
    assert f"{target.url}health: answered 404, expected 2xx" in page and "token" not in page
    assert f"{target.url}: the answer has no field state" in page
    assert f"PostgreSQL at {host}, port {port}, did not take the connection in time" in page


def test_kind_8_a_byte_order_mark_before_the_document(exporter, tmp_path):
    """As .NET and PowerShell write it."""
    tool = tmp_path / "tool"
    tool.write_bytes(b"#!/bin/sh\nprintf '\\357\\273\\277{\"n\": 7}'\n")
    tool.chmod(0o755)
    with server(answer(b"\xef\xbb\xbf" + HEALTH)) as (url, _):
        daemon = exporter([{"name": "it", "http": {"url": url, "json": {"status": "healthy"}}},
                           {"name": "bare", "http": {"url": url}},
                           {"name": "tool", "exec": {"command": [str(tool)], "output": "json",
                                                     "metrics": [{"name": "t_n", "value": "n"}]}}])
        found = scrape(daemon)
    assert [value(found, "runbook_check_success", check=name) for name in ("it", "bare", "tool")] == [1, 1, 1]
    assert value(found, "runbook_http_version_info", check="bare", version="1.2.3") == 1
    assert value(found, "t_n", check="tool") == 7


@pytest.mark.parametrize("sent, reason", [
    (b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nshort", "transfer closed with 95 bytes remaining"),
    (answer(b"no gzip", "Content-Encoding: gzip", status="503 Busy"), "incorrect header check"),
    (answer(gzip.compress(HEALTH) + gzip.compress(HEALTH), "Content-Encoding: gzip", status="503 Busy"),
     "the answer cannot be decoded by its Content-Encoding")], ids=["cut", "no-gzip", "two-members"])
def test_h2_the_status_is_told_whatever_comes_behind(exporter, sent, reason):
    with server(sent) as (url, _):
        daemon, found, success = check(exporter, url=url)
    assert (success, value(found, "runbook_http_status_code", check="it")) == (0, 503)
    assert reason in daemon.page("/")


@pytest.mark.parametrize("encoding, encode", [
    ("gzip", gzip.compress), ("deflate", zlib.compress),
    ("deflate", lambda data: zlib.compress(data, wbits=-15))], ids=["gzip", "deflate", "raw-deflate"])
def test_h1_an_unasked_encoding_is_decoded(exporter, encoding, encode):
    with server(answer(encode(HEALTH), f"Content-Encoding: {encoding}")) as (url, heads):
        _, found, success = check(exporter, url=url, json={"status": "healthy"})
    assert success == 1
    assert value(found, "runbook_http_version_info", check="it", version="1.2.3") == 1
    assert value(found, "runbook_http_response_bytes", check="it") == len(HEALTH)
    assert "ccept-" not in heads[0].replace("Accept: ", "")  # it is not asked for


def test_h1_the_limit_is_of_what_is_decoded(exporter):
    bomb = gzip.compress(b'{"a": "' + b"a" * (64 << 20) + b'"}')
    with server(answer(bomb, "Content-Encoding: gzip")) as (url, _):
        daemon, found, success = check(exporter, url=url, json={"a": "a"})
    assert success == 0
    assert value(found, "runbook_http_status_code", check="it") == 200
    assert value(found, "runbook_http_response_bytes", check="it") is None  # nobody knows it
    assert "larger than body_limit" in daemon.page("/")


def test_h1_what_is_not_what_it_says_fails(exporter):
    with server(answer(HEALTH, "Content-Encoding: gzip")) as (url, _):
        _, _, success = check(exporter, url=url, json={"status": "healthy"})
    assert success == 0


@pytest.mark.parametrize("extra", [{}, {"body_limit": "16"}], ids=["default", "option"])
def test_h2_a_large_page_costs_nothing_where_only_the_status_matters(exporter, extra):
    whole, sent = 64 << 20, []

    def pour(connection):
        for _ in range(whole >> 16):
            connection.sendall(bytes(1 << 16))
            sent.append(1 << 16)

    with server([f"HTTP/1.1 200 OK\r\nContent-Length: {whole}\r\n\r\n".encode(), pour]) as (url, _):
        _, found, success = check(exporter, url=url, **extra)
    assert success == 1
    assert value(found, "runbook_http_status_code", check="it") == 200
    assert value(found, "runbook_http_response_bytes", check="it") == whole
    assert sum(sent) < whole  # it is not read to its end


def test_h2_the_status_is_told_when_a_field_is_beyond_the_limit(exporter):
    large = json.dumps({"x": "y" * 2000, "status": "healthy"}).encode()
    with server(answer(large, status="503 Busy")) as (url, _):
        daemon, found, success = check(exporter, url=url, json={"status": "healthy"}, body_limit="1KiB")
        assert success == 0
        assert value(found, "runbook_http_status_code", check="it") == 503
        assert "answered 503" in daemon.page("/")
        _, _, success = check(exporter, url=url, json={"status": "healthy"}, body_limit="4KiB", status="503")
        assert success == 1


def test_a5_a_certificate_that_has_expired_keeps_its_date(exporter, authority, tmp_path):
    """By a connection of its own, on which no request and no token goes to who is not trusted."""
    target = Target(tls=(authority.path("expired.chain.pem"), authority.path("expired.key")))
    (tmp_path / "token").write_text("not-for-strangers")
    try:
        target.says({"status": "healthy"})
        daemon = exporter([{"name": "it", "http": {"url": target.url, "bearer_token_file": str(tmp_path / "token"),
                                                   "tls_config": {"ca_file": str(authority.root)}},
                            "warn": "runbook_http_tls_not_after_timestamp_seconds - time() < 7d"}])
        found = scrape(daemon)
        assert value(found, "runbook_check_success", check="it") == 0 and not target.hits
        assert value(found, "runbook_http_tls_not_after_timestamp_seconds", check="it") == authority.not_after("expired")
        assert value(found, "runbook_check_series_beyond_threshold", check="it", level="warn") == 1
        assert "certificate has expired" in daemon.page("/")
    finally:
        target.stop()


def test_h3_server_name_is_whom_tls_asks_for(exporter, tmp_path):
    authority = Authority(tmp_path)
    pair = authority.issue("inner", "DNS:inner.example")
    target = Target(tls=[str(file) for file in pair])
    try:
        target.says({"status": "healthy"})
        url = target.url.replace("localhost", "127.0.0.1")
        tls = {"ca_file": str(authority.file)}
        _, _, success = check(exporter, url=url, tls_config=tls)
        assert success == 0
        _, found, success = check(exporter, url=url, tls_config={**tls, "server_name": "inner.example"})
        assert success == 1
        assert value(found, "runbook_http_tls_not_after_timestamp_seconds", check="it") > 0
        assert target.hits[-1][1]["Host"] == url.split("/")[2]  # TLS alone has the other name
        _, _, success = check(exporter, url=url, tls_config={**tls, "server_name": "other.example"})
        assert success == 0
        target.says({"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [0, "1"]}]}})
        daemon = exporter([{"name": "it", "prometheus": {
            "url": url, "query": "up", "tls_config": {**tls, "server_name": "inner.example"}}}])
        assert value(scrape(daemon), "runbook_check_success", check="it") == 1
    finally:
        target.stop()


def test_redirects_are_followed_by_option(exporter):
    with server(answer(HEALTH)) as (end, _), server(answer(b"", f"Location: {end}x", status="302 Found")) as (url, _):
        _, found, success = check(exporter, url=url)
        assert (success, value(found, "runbook_http_status_code", check="it")) == (0, 302)
        _, found, success = check(exporter, url=url, follow_redirects=True, json={"status": "healthy"})
        assert (success, value(found, "runbook_http_status_code", check="it")) == (1, 200)


def test_redirects_without_end_fail_and_lead_to_http_alone(exporter):
    with server(answer(b"", "Location: /again", status="302 Found")) as (url, heads):
        _, _, success = check(exporter, url=url, follow_redirects=True)
        assert (success, len(heads)) == (0, 11)
    with server(answer(b"", "Location: file:///etc/hostname", status="302 Found")) as (url, _):
        _, _, success = check(exporter, url=url, follow_redirects=True)
        assert success == 0


def test_a_proxy_by_option_and_never_by_environment(exporter):
    with server(answer(HEALTH)) as (proxy, heads):
        _, _, success = check(exporter, url="http://far.example/health", proxy_url=proxy)
        assert success == 1
        assert heads[0].startswith("GET http://far.example/health HTTP/1.1\r\n")
        with server(answer(HEALTH)) as (url, _):
            daemon = exporter([{"name": "it", "http": {"url": url}}], env={"http_proxy": proxy, "ALL_PROXY": proxy})
            assert value(scrape(daemon), "runbook_check_success", check="it") == 1
            daemon = exporter([{"name": "it", "http": {"url": url, "proxy_url": proxy}}], env={"no_proxy": "*"})
            assert value(scrape(daemon), "runbook_check_success", check="it") == 1
        assert len(heads) == 2


def test_101_is_an_answer(exporter):
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    hold = threading.Event()
    switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x00"
    with server([switched, lambda _: hold.wait(60)]) as (url, _):
        _, found, success = check(exporter, url=url, status="101", headers=upgrade)
        hold.set()
    assert (success, value(found, "runbook_http_status_code", check="it")) == (1, 101)


@pytest.mark.parametrize("interim", ["100 Continue", "102 Processing", "103 Early Hints"])
def test_another_1xx_goes_before_the_answer(exporter, interim):
    with server(f"HTTP/1.1 {interim}\r\nLink: </x>\r\n\r\n".encode() + answer(HEALTH)) as (url, _):
        _, found, success = check(exporter, url=url, json={"status": "healthy"})
    assert (success, value(found, "runbook_http_status_code", check="it")) == (1, 200)
