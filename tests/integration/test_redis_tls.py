# SPDX-License-Identifier: Apache-2.0
"""Redis over TLS, with certificates of our own: redis_exporter#251, #264, #478, #580, #676, #711, #768."""

import json
import subprocess

import pytest

from lab.parts import free_port, wait_for
from lab.redis import Redis
from scraping import promtool, scrape, value


@pytest.fixture
def secure(authority, tmp_path):
    """Starts servers that speak TLS beside plain TCP, and answers the address and the server."""
    started = []

    def start(name="localhost", auth_clients="no", **more):
        port = free_port()
        server = Redis(tmp_path / f"secure-{len(started)}", **more, arguments=[
            "--tls-port", port, "--tls-cert-file", authority.path(f"{name}.chain.pem"), "--tls-key-file",
            authority.path(f"{name}.key"), "--tls-ca-cert-file", authority.path("root.pem"), "--tls-auth-clients", auth_clients])
        started.append(server.start())
        return f"localhost:{port}", server

    yield start
    for server in started:
        server.stop()


def check_of(address, name="redis", timeout="5s", **options):
    return {"name": name, "timeout": timeout, "redis": {"address": address, **options}}


def successes(found):
    return {dict(labels)["check"]: number for (name, labels), number in found.all.items() if name == "runbook_check_success"}


def test_redis_exporter_251_264_478_676_tls_with_an_authority_of_ones_own(exporter, authority, secure, tmp_path):
    address, server = secure(password="hunter2")
    (tmp_path / "password").write_text("hunter2\n")
    server.client.rpush("queue", *range(7))
    server.client.set("big", b"x" * (3 << 20))
    options = {"password_file": str(tmp_path / "password"), "keys": [{"key": "queue"}], "big_keys": {}}
    trust = {"ca_file": str(authority.root)}
    daemon = exporter([check_of(f"rediss://{address}", "scheme", tls_config=trust, **options),
                       check_of(address, "options", tls_config=trust, **options),
                       check_of(f"rediss://{address}".replace("localhost", "127.0.0.1"), "address", tls_config=trust, **options)])
    found = scrape(daemon)
    assert successes(found) == {"scheme": 1, "options": 1, "address": 1}, daemon.page("/")
    for check in ("scheme", "options", "address"):
        assert value(found, "runbook_redis_key_length", check=check, db="0", key="queue") == 7
        assert value(found, "runbook_redis_memory_used_bytes", check=check) > 3 << 20
    promtool(found.page)
    assert "hunter2" not in daemon.page("/") + daemon.process.output()


def test_a_certificate_that_is_not_trusted_gets_no_password(exporter, authority, secure, tmp_path):
    address, server = secure(password="hunter2")
    expired, _ = secure("expired")
    (tmp_path / "password").write_text("hunter2\n")
    password = {"password_file": str(tmp_path / "password")}
    trust = {"ca_file": str(authority.root)}
    daemon = exporter([check_of(f"rediss://{address}", "stranger", **password),
                       check_of(f"rediss://{address}", "skipped", tls_config={"insecure_skip_verify": True}, **password),
                       check_of(expired, "expired", tls_config=trust),
                       check_of(address, "no_file", tls_config={"ca_file": "/nowhere/ca.pem"})])
    server.client.config_resetstat()
    found = scrape(daemon)
    assert successes(found) == {"stranger": 0, "skipped": 1, "expired": 0, "no_file": 0}
    page = daemon.page("/")
    assert "the certificate for localhost is refused: unable to get local issuer certificate" in page
    assert "the certificate for localhost is refused: certificate has expired" in page
    assert "/nowhere/ca.pem: No such file or directory" in page
    assert server.calls("auth") == 1 + server.client.info("commandstats").get("cmdstat_auth", {}).get("failed_calls", 0)


def test_server_name_is_whom_the_certificate_must_be_for(exporter, authority, secure):
    address, _ = secure("other")
    trust = {"ca_file": str(authority.root)}
    daemon = exporter([check_of(f"rediss://{address}", "host", tls_config=trust),
                       check_of(f"rediss://{address}", "named", tls_config={**trust, "server_name": "other.example"})])
    found = scrape(daemon)
    assert successes(found) == {"host": 0, "named": 1}
    assert "the certificate for localhost is refused: hostname mismatch" in daemon.page("/")


def test_redis_exporter_580_711_768_a_client_certificate_is_shown(exporter, authority, secure):
    address, _ = secure(auth_clients="yes")
    trust = {"ca_file": str(authority.root)}
    mine = {"cert_file": authority.path("other.chain.pem"), "key_file": authority.path("other.key")}
    daemon = exporter([check_of(address, "without", tls_config=trust), check_of(address, "with", tls_config={**trust, **mine}),
                       check_of(address, "wrong", tls_config={**trust, **mine, "key_file": authority.path("localhost.key")})])
    found = scrape(daemon)
    assert successes(found) == {"without": 0, "with": 1, "wrong": 0}
    assert "it had asked for a client certificate: cert_file" in daemon.page("/")
    assert "localhost.key: key values mismatch" in daemon.page("/")


def test_a_server_that_hangs_in_the_handshake_is_left_at_the_deadline(exporter, hole, secure):
    address, server = secure()
    silent = hole.removeprefix("http://").rstrip("/")
    daemon = exporter([check_of(f"rediss://{silent}", "hung", timeout="700ms"),
                       check_of(f"rediss://{server.address}", "plain", timeout="700ms"), check_of(address, "secret"), check_of(server.address)])
    found = scrape(daemon)
    assert successes(found) == {"hung": 0, "plain": 0, "secret": 0, "redis": 1}
    # To Redis without TLS, a handshake is half a command.
    wait_for(lambda: daemon.page("/").count("TLS handshake: Redis did not answer in time") == 2 * 2,
             "both runs to end by themselves: each is told among what fails, and in its place")
    assert "PING: " in daemon.page("/")


def test_options_of_tls_that_mean_nothing_are_refused(program, tmp_path):
    for options, complaint in (({"address": "localhost:6379", "tls_config": {}}, "write rediss://localhost:6379"),
                               ({"address": "/run/redis.sock", "tls_config": {"ca_file": "/x"}}, "TLS is not spoken over a unix socket"),
                               ({"address": "rediss:///run/redis.sock"}, "a host and a port alone"),
                               ({"address": "rediss://me:hunter2@localhost"}, "have their own keys"),
                               ({"address": "a:1", "tls_config": {"cert_file": "/x"}}, "only of use together")):
        config = tmp_path / "checks.yml"
        config.write_text(json.dumps({"checks": [{"name": "redis", "redis": options}]}))
        done = subprocess.run([program, f"--config.file={config}", "--config.check"], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        assert done.returncode != 0 and complaint in done.stdout and "hunter2" not in done.stdout, done.stdout
