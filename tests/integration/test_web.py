# SPDX-License-Identifier: Apache-2.0
"""--web.config.file with real curl, reloads, and what systemd and the daemons say to each other."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import types

import pytest

from lab.certificates import Authority
from lab.parts import free_port, wait_for
from scraping import samples
from web_configuration import ALICE, BOB, SLOW, Served

CHECKS = {"checks": [{"name": "root", "cache": "1h", "disk": {"mountpoints": ["/"]}}]}
REMEDIATIONS = {"escalate_to": "nobody", "remediations": [{"name": "look", "match": ['alertname="look"'], "steps": [{"host.memory": {}}]}]}
USERS = {"alice": ALICE[1], "bob": BOB[1]}


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("pki"))
    other = Authority(tmp_path_factory.mktemp("other"), "other")
    certificate, key = authority.issue("server", "DNS:localhost,IP:127.0.0.1")
    return types.SimpleNamespace(authority=authority, other=other, ca=authority.file,
                                 tls={"cert_file": str(certificate), "key_file": str(key)})


@pytest.fixture
def serve(binaries, tmp_path):
    """Starts daemons; every one of them has to end cleanly."""
    started = []

    def start(web=None, *flags, program=None, config=None, **options):
        responder = program == "responder"
        daemon = Served(binaries.responder if responder else binaries.exporter, tmp_path / f"daemon-{len(started)}",
                        config or (REMEDIATIONS if responder else CHECKS), web, *flags,
                        f"--journal={tmp_path}/journal-{len(started)}.db" if responder else "--no-run-at-start",
                        **options)
        started.append(daemon)
        return daemon.start()

    yield start
    assert [daemon.process.stop() for daemon in started] == [0] * len(started)


def refuses(binaries, tmp_path, web, *flags, program="responder", config=None):
    """What it says when it does not start."""
    daemon = Served(getattr(binaries, program), tmp_path / "refused",
                    config or (REMEDIATIONS if program == "responder" else CHECKS), web, *flags)
    daemon.process.start()
    assert daemon.process.wait(30) == 1
    return daemon.process.output()


def with_certificate(pair):
    return "--cert", str(pair[0]), "--key", str(pair[1])


def test_versions_and_suites_are_those_of_the_configuration(serve, pki):
    new = serve({"tls_server_config": {**pki.tls, "min_version": "TLS13"}}, ca=pki.ca)
    assert new.status("/-/healthy", "--tlsv1.3") == 200
    assert new.status("/-/healthy", "--tls-max", "1.2") == 0

    suite = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    old = serve({"tls_server_config": {**pki.tls, "max_version": "TLS12", "cipher_suites": [suite],
                                       "curve_preferences": ["CurveP384"]}}, ca=pki.ca)
    assert old.status() == 200
    assert old.status("/-/healthy", "--tlsv1.3") == 0
    assert old.status("/-/healthy", "--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384") == 200
    assert old.status("/-/healthy", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256") == 0
    assert old.status("/-/healthy", "--curves", "P-256:P-384") == 200
    assert old.status("/-/healthy", "--curves", "P-256:X25519") == 0


def test_plain_http_is_not_answered_where_there_is_tls(serve, pki):
    daemon = serve({"tls_server_config": pki.tls}, ca=pki.ca)
    daemon.ca = None
    assert daemon.status() == 0


def test_client_certificates_are_verified(serve, pki):
    authority = pki.authority
    alice = authority.issue("alice", "DNS:alice")
    daemon = serve({"tls_server_config": {**pki.tls, "client_auth_type": "RequireAndVerifyClientCert",
                                          "client_ca_file": str(authority.file)}}, ca=pki.ca)
    assert daemon.status("/metrics", *with_certificate(alice)) == 200
    assert daemon.status("/metrics") == 0
    assert daemon.status("/metrics", *with_certificate(pki.other.issue("mallory", "DNS:alice"))) == 0
    serves_only = authority.issue("serves-only", "DNS:alice", purpose="serverAuth")
    assert daemon.status("/metrics", *with_certificate(serves_only)) == 0


def test_only_allowed_names_get_in(serve, pki):
    authority = pki.authority
    daemon = serve({"tls_server_config": {**pki.tls, "client_auth_type": "RequireAndVerifyClientCert",
                                          "client_ca_file": str(authority.file),
                                          "client_allowed_sans": ["prometheus.lab", "10.0.0.7", "ops@lab"]}}, ca=pki.ca)
    for name, sans in (("dns", "DNS:x.lab,DNS:prometheus.lab"), ("ip", "IP:10.0.0.7"), ("mail", "email:ops@lab")):
        assert daemon.status("/metrics", *with_certificate(authority.issue(name, sans))) == 200, sans
    for name, sans in (("wrong", "DNS:prometheus.lab.evil"), ("none", None)):
        certificate = authority.issue(name, sans, common_name="prometheus.lab")
        assert daemon.status("/metrics", *with_certificate(certificate)) == 0, sans


def test_a_certificate_may_be_optional_but_then_is_verified(serve, pki):
    daemon = serve({"tls_server_config": {**pki.tls, "client_auth_type": "VerifyClientCertIfGiven",
                                          "client_ca_file": str(pki.authority.file)}}, ca=pki.ca)
    assert daemon.status() == 200
    assert daemon.status("/-/healthy", *with_certificate(pki.authority.issue("maybe"))) == 200
    assert daemon.status("/-/healthy", *with_certificate(pki.other.issue("not"))) == 0


def test_new_certificates_are_taken_and_broken_ones_are_not(serve, pki, tmp_path):
    certificate, key = tmp_path / "live.pem", tmp_path / "live.key"

    def install(pair):
        for source, target in zip(pair, (certificate, key)):
            target.with_suffix(".new").write_bytes(source.read_bytes())
            os.replace(target.with_suffix(".new"), target)

    install((pki.authority.directory / "server.pem", pki.authority.directory / "server.key"))
    daemon = serve({"tls_server_config": {"cert_file": str(certificate), "key_file": str(key)}}, ca=pki.ca)
    assert daemon.status() == 200
    key.write_text("no key")
    assert daemon.status() == 200
    daemon.logs("has changed and is not taken")
    install(pki.other.issue("server", "DNS:localhost"))
    assert daemon.status() == 0  # the new one is not of this authority
    daemon.ca = pki.other.file
    assert daemon.status() == 200


def test_users_are_asked_for_their_password(serve):
    daemon = serve({"basic_auth_users": USERS})
    status, headers, body = daemon.curl("/metrics")
    assert (status, body) == (401, "unauthorized\n")
    assert headers["www-authenticate"].startswith("Basic realm=")
    for path in ("/", "/-/healthy", "/nowhere"):
        assert daemon.status(path) == 401, path
    assert daemon.status("/nowhere", user=ALICE[0]) == 404
    for credentials in (ALICE[0], BOB[0], ALICE[0]):  # the third is remembered
        assert daemon.status("/metrics", user=credentials) == 200
    for credentials in ("alice:tram depot", "alice:", "nobody:open sesame", ":", "alice:open sesame ",
                        "alice:" + "x" * 2000):
        for _ in range(2):  # so is a wrong one
            assert daemon.status("/metrics", user=credentials) == 401, credentials
    for word in ("Basic", "Basic !!!!", "Bearer abc", "Basic YWxpY2U=",
                 "Basic " + base64.b64encode(b"alice:open sesame\0x").decode()):
        assert daemon.status("/metrics", "--header", f"Authorization: {word}") == 401, word
    output = daemon.process.output()
    assert "sesame" not in output and "$2y$" not in output


def test_a_user_who_is_removed_is_out_at_his_next_request(serve):
    daemon = serve({"basic_auth_users": USERS})
    token = base64.b64encode(BOB[0].encode()).decode()
    with socket.create_connection(("127.0.0.1", daemon.port), 30) as peer:
        def ask():
            peer.sendall(f"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {token}\r\n\r\n".encode())
            answer = b""
            while not answer.endswith((b"healthy.\n", b"unauthorized\n")):
                piece = peer.recv(4096)
                assert piece, answer
                answer += piece
            return int(answer.split()[1])

        assert [ask(), ask()] == [200, 200]
        daemon.configure({"basic_auth_users": {"alice": ALICE[1]}})
        assert ask() == 401
    daemon.configure("basic_auth_users: [")  # the last good one stays
    assert daemon.status(user=ALICE[0]) == 200
    daemon.logs("has changed and is not taken")


def test_guessing_is_bounded_and_keeps_nobody_else_out(serve):
    daemon = serve({"basic_auth_users": {"alice": ALICE[1], "slow": SLOW[1]}})
    assert daemon.status(user=ALICE[0]) == 200

    def send(number):
        peer = socket.create_connection(("127.0.0.1", daemon.port), 60)
        token = base64.b64encode(f"slow:guess {number}".encode()).decode()
        peer.sendall(f"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {token}\r\n\r\n".encode())
        return peer

    peers = [send(number) for number in range(70)]
    assert daemon.status(user=ALICE[0]) == 200  # remembered: does not wait behind the guesses
    codes = [int(peer.recv(4096).split()[1]) for peer in peers]
    for peer in peers:
        peer.close()
    assert set(codes) == {401, 503}
    assert codes.count(401) >= 32


def test_stopping_does_not_wait_for_passwords(serve):
    daemon = serve({"basic_auth_users": {"slow": SLOW[1]}})
    token = base64.b64encode(b"slow:guess").decode()
    with socket.create_connection(("127.0.0.1", daemon.port), 30) as peer:
        for number in range(20):
            other = base64.b64encode(f"slow:{number}".encode()).decode()
            with socket.create_connection(("127.0.0.1", daemon.port), 30) as gone:
                gone.sendall(f"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {other}\r\n\r\n".encode())
        peer.sendall(f"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {token}\r\n\r\n".encode())
        assert daemon.process.stop(timeout=60) == 0


def test_headers_are_those_of_the_configuration(serve):
    headers = {"Strict-Transport-Security": "max-age=60", "X-Frame-Options": "sameorigin",
               "Content-Security-Policy": "default-src 'self'"}
    daemon = serve({"http_server_config": {"http2": True, "headers": headers}})
    for path in ("/", "/metrics", "/metrics", "/nowhere"):
        got = daemon.curl(path)[1]
        assert {name: got[name.lower()] for name in headers} == headers, path
    daemon.logs("HTTP/2 is not served")


def test_every_mistake_is_named(binaries, tmp_path, pki):
    web = f"""
tls_server_config:
  cert_file: {pki.tls['cert_file']}
  key_fiel: x
  client_ca_file: ca.pem
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_NULL]
  curve_preferences: [X448]
  min_version: TLS13
  max_version: TLS12
http_server_config: {{headers: {{X-Frame-Options: perhaps}}}}
basic_auth_users: {{eve: "very secret"}}
rate_limit: {{burst: 1}}
"""
    said = refuses(binaries, tmp_path, web, program="exporter")
    for words in ("key_fiel", "key_file is missing", "client_auth_type", "TLS_NULL", "X448", "GnuTLS would take", "above",
                  "deny or sameorigin", "bcrypt hash", "rate_limit"):
        assert words in said, words
    assert "very secret" not in said
    for name, config in (("exporter", CHECKS), ("responder", REMEDIATIONS)):
        config_file, web_file = tmp_path / f"{name}.yml", tmp_path / "broken-web.yml"
        config_file.write_text(json.dumps(config))
        web_file.write_text("basic_auth_user: {}")
        done = subprocess.run([getattr(binaries, name), "--config.check", f"--config.file={config_file}",
                               f"--web.config.file={web_file}"], check=False, text=True, capture_output=True)
        assert done.returncode == 1 and "basic_auth_users" in done.stderr, name
        assert "no mistakes" not in done.stdout + done.stderr, name


def test_the_responder_leaves_loopback_only_with_authentication(serve, binaries, tmp_path, pki):
    listen = f"--web.listen-address=0.0.0.0:{free_port()}"
    assert "refuses to listen" in refuses(binaries, tmp_path, None, listen)
    assert "refuses to listen" in refuses(binaries, tmp_path, {"tls_server_config": pki.tls}, listen)
    any_certificate = {"tls_server_config": {**pki.tls, "client_auth_type": "RequireAnyClientCert"}}
    assert "refuses to listen" in refuses(binaries, tmp_path, any_certificate, listen)
    port = free_port()
    daemon = serve({"basic_auth_users": USERS}, f"--web.listen-address=0.0.0.0:{port}", program="responder")
    daemon.port = port
    assert daemon.status("/api/v1/status") == 401
    assert daemon.status("/api/v1/status", user=BOB[0]) == 200
    daemon.configure({})  # would let everybody in
    assert daemon.status("/api/v1/status") == 401
    daemon.logs("it would be open")


def test_a_file_that_was_just_emptied_opens_nothing(serve):
    """An editor truncates before it writes: in between, the exporter was everybody's."""
    daemon = serve({"basic_auth_users": USERS}, program="exporter")
    assert daemon.status("/metrics") == 401
    for emptied in ("", "{}", json.dumps({"http_server_config": {"headers": {"X-Frame-Options": "deny"}}})):
        daemon.web.write_text(emptied)
        assert daemon.status("/metrics") == 401 and daemon.status("/metrics", user=BOB[0]) == 200
    daemon.logs("it would be open")


ALERT = ('{"version":"4","receiver":"runbook","status":"firing","alerts":[{"status":"firing","labels":'
         '{"alertname":"look"},"annotations":{},"startsAt":"2026-01-01T00:00:00Z","fingerprint":"00000000000000aa"}],'
         '"groupKey":"g","groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":""}')


def test_who_sends_alerts_does_not_operate(serve):
    daemon = serve({"basic_auth_users": USERS}, "--web.operators=alice", "--web.senders=bob", program="responder")
    post = ("--header", "Content-Type: application/json", "--data", ALERT)
    assert daemon.status("/api/v1/alerts", *post) == 401
    assert daemon.status("/api/v1/alerts", *post, user=BOB[0]) == 200  # a body that waits for the password's verdict
    assert daemon.status("/api/v1/alerts", *post, user=ALICE[0]) == 403  # who decides does not send
    assert daemon.status("/metrics", user=BOB[0]) == 403  # and who sends does not read
    wait_for(lambda: '"look"' in daemon.curl("/api/v1/incidents", user=ALICE[0])[2], "the incident")
    for path in ("/-/pause", "/-/resume", "/api/v1/incidents/INC-2026-0001/approve"):
        status, _, body = daemon.curl(path, "--data", '{"by":"alice"}', user=BOB[0])
        assert status == 403 and "--web.operators" in body, path
    assert daemon.status("/-/pause", "--data", '{"by":"somebody else"}', user=ALICE[0]) == 200
    status = daemon.curl("/api/v1/status", user=ALICE[0])[2]
    assert '"paused":true' in status.replace(" ", "") and "alice (password)" in status


def test_nobody_operates_unless_named(serve):
    daemon = serve({"basic_auth_users": USERS}, program="responder")
    daemon.logs("Nobody may approve")
    daemon.logs("Nobody may send alerts")
    assert daemon.status("/-/pause", "--data", "{}", user=ALICE[0]) == 403
    assert daemon.status("/api/v1/alerts", "--data", ALERT, user=ALICE[0]) == 403
    assert daemon.status("/api/v1/status", user=ALICE[0]) == 200


def test_operators_may_be_known_by_certificate(serve, pki):
    daemon = serve({"tls_server_config": {**pki.tls, "client_auth_type": "RequireAndVerifyClientCert",
                                          "client_ca_file": str(pki.authority.file)}},
                   "--web.operators=olga.lab,otto", program="responder", ca=pki.ca)
    olga = pki.authority.issue("olga", "DNS:first.lab,DNS:olga.lab")
    otto = pki.authority.issue("otto")  # without alternative names the common name counts
    fake = pki.authority.issue("fake", "DNS:alerts.lab", common_name="otto")
    assert daemon.status("/-/pause", "--data", "{}", *with_certificate(olga)) == 200
    assert "certificate first.lab" in daemon.curl("/api/v1/status", *with_certificate(olga))[2]
    assert daemon.status("/-/resume", "--data", "{}", *with_certificate(otto)) == 200
    assert daemon.status("/-/pause", "--data", "{}", *with_certificate(fake)) == 403


def test_operators_have_to_be_somebody(binaries, tmp_path):
    assert "needs users" in refuses(binaries, tmp_path, None, "--web.operators=alice")
    said = refuses(binaries, tmp_path, {"basic_auth_users": USERS}, "--web.operators=alice,alcie")
    assert 'no user "alcie"' in said


def http_check(name, target, **more):
    return {"name": name, "timeout": "30s", "http": {"url": target.url}, **more}


def last_run(daemon, check):
    page = samples(daemon.curl("/metrics")[2])
    return page.all.get(("runbook_check_last_run_timestamp_seconds", (("check", check),)))


def write(daemon, checks):
    daemon.config.write_text(json.dumps({"checks": checks}))


def test_reload_json_exporter_390_keeps_what_is_unchanged(serve, target):
    kept, changed = http_check("kept", target, cache="1h"), http_check("changed", target, cache="1h")
    daemon = serve(None, "--web.enable-lifecycle", config={"checks": [kept, changed]})
    before = [last_run(daemon, "kept"), last_run(daemon, "changed")]
    assert len(target.hits) == 2

    write(daemon, [{**changed, "title": "another"}, kept, http_check("new", target, cache="1h")])
    daemon.process.send(signal.SIGHUP)
    daemon.logs("changed=2")
    assert last_run(daemon, "kept") == before[0]
    assert last_run(daemon, "changed") > before[1]
    assert last_run(daemon, "new") > 0
    assert len(target.hits) == 4

    write(daemon, [kept])
    status, _, body = daemon.curl("/-/reload", "--request", "POST")
    assert (status, body) == (200, "The configuration was read again.\n")
    page = daemon.curl("/metrics")[2]
    assert last_run(daemon, "kept") == before[0] and "changed" not in page and '"new"' not in page
    assert "runbook_exporter_config_last_reload_successful 1\n" in page


def test_reload_postgres_exporter_1390_a_broken_one_keeps_all_and_says_why(serve, target):
    daemon = serve(None, "--web.enable-lifecycle", config={"checks": [http_check("kept", target, cache="1h")]})
    before = last_run(daemon, "kept")
    write(daemon, [http_check("kept", target, cache="1h"), {"name": "odd", "http": {"urll": "x"}}])
    status, _, body = daemon.curl("/-/reload", "--request", "POST")
    assert status == 500 and "urll" in body and "config.yml:1:" in body
    assert "urll" in daemon.process.output()
    page = daemon.curl("/metrics")[2]
    assert "runbook_exporter_config_last_reload_successful 0\n" in page
    assert last_run(daemon, "kept") == before and "odd" not in page
    write(daemon, [http_check("kept", target, cache="1h")])
    assert daemon.status("/-/reload", "--request", "POST") == 200
    assert "runbook_exporter_config_last_reload_successful 1\n" in daemon.curl("/metrics")[2]


def test_reloads_over_http_are_off_unless_asked_for(serve):
    daemon = serve()
    assert daemon.status("/-/reload", "--request", "POST") == 403
    assert daemon.status("/-/reload") == 405


def test_what_runs_during_a_reload_ends_in_peace(serve, target):
    daemon = serve(None, config={"checks": [http_check("held", target), http_check("gone", target)]})
    target.open.clear()
    answers = []
    scrape = threading.Thread(target=lambda: answers.append(daemon.curl("/metrics")[2]))
    scrape.start()
    wait_for(lambda: len(target.hits) == 2, "both to run")
    write(daemon, [http_check("held", target)])
    daemon.process.send(signal.SIGHUP)
    daemon.logs("changed=0")
    target.open.set()
    scrape.join(60)
    # The request that came before is answered by the checks that it came for, and the run that goes on counts for both.
    assert 'runbook_check_success{check="held"} 1' in answers[0]
    assert 'runbook_check_success{check="gone"} 1' in answers[0]
    page = daemon.curl("/metrics")[2]
    assert 'runbook_check_success{check="held"} 1' in page and '"gone"' not in page


def test_reloads_without_end_do_not_pile_up(serve, target):
    daemon = serve(None, "--web.enable-lifecycle", config={"checks": [http_check("a", target, cache="1h")]})
    threads = []
    for number in range(40):
        write(daemon, [http_check("a", target, cache="1h"), http_check(f"n{number}", target, cache="1h")])
        assert daemon.status("/-/reload", "--request", "POST") == 200
        assert last_run(daemon, f"n{number}") > 0
        threads.append(len(os.listdir(f"/proc/{daemon.process.pid}/task")))
    # One thread of each scrape that is over has to be gone, and idle workers are used again.
    assert threads[-1] <= threads[5] + 3, threads
    assert len([path for path, _ in target.hits]) == 41


ACTIVATE = """
import os, socket, sys
listener = socket.socket(fileno=int(sys.argv[1]))
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=sys.argv[2] if sys.argv[2] != "self" else str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[3], sys.argv[3:])
"""


def activate(binaries, tmp_path, listener, program="exporter", pid="self", web=None, flags=()):
    config = REMEDIATIONS if program == "responder" else CHECKS
    if program == "responder":
        flags = (*flags, f"--journal={tmp_path}/journal.db")
    daemon = Served(getattr(binaries, program), tmp_path / f"activated-{program}-{pid}", config, web, "--web.systemd-socket",
                    *flags, launcher=(sys.executable, "-c", ACTIVATE, str(listener.fileno()), pid))
    log = open(daemon.directory / "log", "ab")
    daemon.process.child = subprocess.Popen([str(word) for word in daemon.argv], stdout=log, stderr=log,
                                            pass_fds=[listener.fileno()], cwd=daemon.directory)
    log.close()
    return daemon


def test_a_passed_socket_is_served(binaries, tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        daemon = activate(binaries, tmp_path, listener)
        daemon.port = listener.getsockname()[1]
        assert daemon.status() == 200  # also while it starts: the kernel has the connection
        assert daemon.status("/metrics") == 200
        assert daemon.status("/-/healthy", "--header", "Host: evil.example") == 421
        assert daemon.process.stop() == 0
        # Nobody else's socket is taken, and without one it says so.
        stranger = activate(binaries, tmp_path, listener, pid="1")
        assert stranger.process.wait(30) == 1
        assert "systemd has passed no socket" in stranger.process.output()


def test_a_passed_socket_is_no_way_round_authentication(binaries, tmp_path):
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        listener.listen(8)
        daemon = activate(binaries, tmp_path, listener, program="responder")
        assert daemon.process.wait(30) == 1
        assert "refuses to listen" in daemon.process.output()


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(serve, tmp_path, abstract):
    name = f"\0runbook-test-{os.getpid()}" if abstract else str(tmp_path / "n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(name)
        systemd.settimeout(30)
        daemon = serve(env={"NOTIFY_SOCKET": name.replace("\0", "@")})
        assert systemd.recv(200) == b"READY=1"
        daemon.process.send(signal.SIGHUP)
        reloading = systemd.recv(200).split(b"\n")
        assert reloading[0] == b"RELOADING=1" and reloading[1].startswith(b"MONOTONIC_USEC=")
        assert systemd.recv(200) == b"READY=1"
        assert daemon.process.stop() == 0
        assert systemd.recv(200) == b"STOPPING=1"
