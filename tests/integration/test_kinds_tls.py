# SPDX-License-Identifier: Apache-2.0
"""Kind tls on real certificates, by openssl, and on real servers."""

import shutil
import socket
import ssl
import threading
import time

import pytest

from exporter_flags import ExporterWithFlags
from lab.parts import wait_for
from scraping import promtool, scrape, value

# Root that may not read what its mode forbids, as the unit's user cannot.
NO_OVERRIDE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
LEAF, CHAIN = ("runbook_tls_leaf_not_after_timestamp_seconds", "runbook_tls_chain_not_after_timestamp_seconds")


@pytest.fixture
def serve(authority):
    """Starts TLS servers that show a certificate, and another one to those who ask for other.example."""
    listeners = []

    def start(name, **options):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.path(f"{name}.chain.pem"), authority.path(f"{name}.key"))
        other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        other.load_cert_chain(authority.path("other.chain.pem"), authority.path("other.key"))
        if options.get("client_certificates"):
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(authority.path("root.pem"))
            context.maximum_version = ssl.TLSVersion.TLSv1_2  # refuses within the handshake

        def choose(connection, server_name, _context):
            if server_name == "other.example":
                connection.context = other

        context.sni_callback = choose
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        context.wrap_socket(connection, server_side=True).close()
                    except OSError:  # ssl.SSLError is one
                        pass

        threading.Thread(target=run, daemon=True).start()
        return f"localhost:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def info(found, check):
    return [dict(labels) for name, labels in found.all if name == "runbook_tls_info" and ("check", check) in labels]


def test_tls_expiry_blackbox_exporter_340_1047_tells_leaf_chain_and_address_apart(exporter, authority, serve):
    address = serve("localhost")
    daemon = exporter([{"name": "tls", "tls": {"address": address, "tls_config": {"ca_file": str(authority.root)}}}])
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="tls") == 1, daemon.page("/")
    assert value(found, "runbook_tls_verified", check="tls") == 1
    assert value(found, LEAF, check="tls") == authority.not_after("localhost")
    # The authority in the middle ends first; a renewed leaf would not help.
    assert value(found, CHAIN, check="tls") == authority.not_after("middle") < authority.not_after("localhost")
    assert 0 < value(found, "runbook_tls_handshake_seconds", check="tls") < 5
    [told] = info(found, "tls")
    assert told["address"] == "127.0.0.1" and told["version"] == "TLSv1.3" and told["cipher"].startswith("TLS_")
    assert "CN=localhost" in told["subject"] and told["issuer"] == "CN=Middle"
    fingerprint = authority.openssl("x509", "-noout", "-fingerprint", "-sha256", "-in", "localhost.pem")
    assert told["fingerprint"] == fingerprint.strip().split("=")[1].replace(":", "").lower()
    promtool(found.page)


def test_server_name_asks_for_another_certificate(exporter, authority, serve):
    address = serve("localhost")
    trust = {"ca_file": str(authority.root)}
    daemon = exporter([{"name": "other", "tls": {"address": address, "server_name": "other.example",
                                                 "tls_config": trust}},
                       {"name": "third", "tls": {"address": address, "server_name": "third.example",
                                                 "tls_config": trust}},
                       {"name": "address", "tls": {"address": address.replace("localhost", "127.0.0.1"),
                                                   "tls_config": trust}}])
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="other") == 1
    assert value(found, LEAF, check="other") == authority.not_after("other")
    assert value(found, "runbook_check_success", check="third") == 0
    assert value(found, "runbook_tls_verified", check="third") == 0
    assert value(found, LEAF, check="third") == authority.not_after("localhost")
    assert value(found, "runbook_check_success", check="address") == 1  # by the address in the certificate
    assert "the certificate for third.example is refused: hostname mismatch" in daemon.page("/").lower()


def test_what_has_expired_or_is_not_trusted_fails_and_is_told(exporter, authority, serve):
    expired, unknown = serve("expired"), serve("localhost")
    daemon = exporter([{"name": "expired", "tls": {"address": expired,
                                                   "tls_config": {"ca_file": str(authority.root)}}},
                       {"name": "unknown", "tls": {"address": unknown}},
                       {"name": "skipped", "tls": {"address": unknown,
                                                   "tls_config": {"insecure_skip_verify": True}}}])
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="expired") == 0
    assert value(found, LEAF, check="expired") == authority.not_after("expired") < time.time()
    assert "certificate has expired" in daemon.page("/")
    assert value(found, "runbook_check_success", check="unknown") == 0
    assert value(found, "runbook_check_success", check="skipped") == 1
    for check in ("unknown", "skipped"):
        assert value(found, "runbook_tls_verified", check=check) == 0
        assert value(found, CHAIN, check=check) == authority.not_after("middle")


def test_a_client_certificate_is_shown_when_asked_for(exporter, authority, serve):
    address = serve("localhost", client_certificates=True)
    trust = {"ca_file": str(authority.root)}
    daemon = exporter([{"name": "with", "tls": {"address": address, "tls_config": {
                           **trust, "cert_file": authority.path("other.chain.pem"),
                           "key_file": authority.path("other.key")}}},
                       {"name": "without", "tls": {"address": address, "tls_config": trust}}])
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="with") == 1, daemon.page("/")
    assert value(found, "runbook_check_success", check="without") == 0
    assert value(found, LEAF, check="without") is None


def test_a_server_that_says_nothing_or_no_tls_is_left_at_the_deadline(exporter, hole, target):
    silent = hole.split("/")[2]
    daemon = exporter([{"name": "silent", "timeout": "200ms", "tls": {"address": silent}},
                       {"name": "silent-pg", "timeout": "200ms", "tls": {"address": silent, "starttls": "postgres"}},
                       {"name": "http", "tls": {"address": target.url.split("/")[2]}},
                       {"name": "nobody", "tls": {"address": "127.0.0.1:1"}}])
    found = scrape(daemon)
    for check in ("silent", "silent-pg", "http", "nobody"):
        assert value(found, "runbook_check_success", check=check) == 0
        assert value(found, LEAF, check=check) is None
    wait_for(lambda: daemon.page("/").count("did not answer in time") == 2 * 2,
             "both runs to end by themselves: each is told among what fails, and in its place")
    assert "refused" in daemon.page("/").lower()


def test_starttls_of_postgresql(exporter, authority, postgres):
    checks = [{"name": "pg", "tls": {"address": f"localhost:{postgres.port}", "starttls": "postgres",
                                     "tls_config": {"ca_file": str(authority.root)}}}]
    daemon = exporter(checks)
    assert value(scrape(daemon), "runbook_check_success", check="pg") == 0
    assert "the server does not offer TLS" in daemon.page("/")

    for source, name in (("localhost.chain.pem", "tls.pem"), ("localhost.key", "tls.key")):
        shutil.copy(authority.path(source), postgres.data / name)
        (postgres.data / name).chmod(0o600)
        if postgres.user:
            shutil.chown(postgres.data / name, postgres.user, postgres.user)
    settings = {"ssl_cert_file": "tls.pem", "ssl_key_file": "tls.key", "ssl": "on"}
    try:
        for name, setting in settings.items():
            postgres.sql(f"ALTER SYSTEM SET {name} = '{setting}'")
        postgres.sql("SELECT pg_reload_conf()")
        found = wait_for(lambda: (page := scrape(daemon)) and value(page, "runbook_check_success", check="pg") == 1
                         and page, "PostgreSQL to take up TLS")
    finally:
        for name in settings:
            postgres.sql(f"ALTER SYSTEM RESET {name}")
        postgres.sql("SELECT pg_reload_conf()")
    assert value(found, LEAF, check="pg") == authority.not_after("localhost")
    assert value(found, CHAIN, check="pg") == authority.not_after("middle")
    wait_for(lambda: value(scrape(daemon), "runbook_check_success", check="pg") == 0, "PostgreSQL without TLS again")


def test_certificate_files(exporter, authority, tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    shutil.copy(authority.path("localhost.chain.pem"), store / "site.pem")
    with open(store / "site.pem", "ab") as both:
        both.write((authority.directory / "localhost.key").read_bytes())  # as HAProxy has it
    authority.openssl("x509", "-in", "other.pem", "-outform", "DER", "-out", str(store / "other.der"))
    daemon = exporter([{"name": "files", "tls": {"files": [f"{store}/*"]}}])
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="files") == 1, daemon.page("/")
    site, other = str(store / "site.pem"), str(store / "other.der")
    assert value(found, LEAF, check="files", file=site) == authority.not_after("localhost")
    assert value(found, CHAIN, check="files", file=site) == authority.not_after("middle")
    assert value(found, LEAF, check="files", file=other) == authority.not_after("other")
    promtool(found.page)

    (store / "broken.pem").write_bytes((store / "site.pem").read_bytes()[:200])
    shutil.copy(authority.path("expired.pem"), store / "expired.pem")
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="files") == 0
    assert "broken.pem holds no certificate, or a damaged one" in daemon.page("/")
    assert value(found, LEAF, check="files", file=site) == authority.not_after("localhost")
    assert value(found, LEAF, check="files", file=str(store / "expired.pem")) == authority.not_after("expired")
    (store / "broken.pem").unlink()
    scrape(daemon)
    assert "expired.pem has expired" in daemon.page("/")
    for file in store.iterdir():
        file.unlink()
    scrape(daemon)
    assert f"no file matches {store}/*" in daemon.page("/")


def test_kind_3_what_a_pattern_matches_beside_certificates_costs_itself(program, authority, tmp_path):
    """As in /etc/letsencrypt/live: the key is beside it, and perhaps for root alone."""
    store = tmp_path / "store"
    (store / "dir.pem").mkdir(parents=True)
    shutil.copy(authority.path("localhost.chain.pem"), store / "fullchain.pem")
    for name, mode in (("privkey.pem", 0o644), ("root.pem", 0)):
        shutil.copy(authority.directory / "localhost.key", store / name)
        (store / name).chmod(mode)
    checks = [{"name": "live", "tls": {"files": f"{store}/*.pem"}},
              {"name": "named", "tls": {"files": [f"{store}/fullchain.pem", f"{store}/privkey.pem"]}},
              {"name": "keys", "tls": {"files": f"{store}/[pr]*.pem"}}]
    with ExporterWithFlags(program, checks, tmp_path, launcher=NO_OVERRIDE) as daemon:
        found = scrape(daemon)
        assert [value(found, "runbook_check_success", check=name) for name in ("live", "named", "keys")] == [1, 0, 0]
        for check in ("live", "named"):
            assert value(found, LEAF, check=check, file=str(store / "fullchain.pem")) == authority.not_after("localhost")
        assert value(found, "runbook_check_items_skipped", check="live", reason="unreadable") == 1
        assert value(found, "runbook_check_items_skipped", check="live", reason="missing") == 1
        assert "privkey.pem holds no certificate, but something else" in daemon.page("/")
