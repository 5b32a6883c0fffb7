# SPDX-License-Identifier: Apache-2.0
"""Whom an https check trusts: the system's authorities as they are now, or those that it names and nobody else."""

import ssl
import subprocess

from scraping import scrape, value


def certificate(directory, name):
    """A self-signed one for 127.0.0.1: its path and its key's."""
    paths = directory / f"{name}.pem", directory / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "9", "-out", paths[0], "-keyout",
                    paths[1]], check=True, stderr=subprocess.DEVNULL)
    return paths


def test_authorities_are_those_of_the_file_as_it_is_now(exporter, target, tmp_path):
    ours, other = certificate(tmp_path, "ours"), certificate(tmp_path, "other")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*ours)
    target.server.socket = context.wrap_socket(target.server.socket, server_side=True, do_handshake_on_connect=False)
    target.server.handle_error = lambda *args: None  # a client that does not trust it hangs up
    system = tmp_path / "system.pem"
    system.write_bytes(other[0].read_bytes())
    url = target.url.replace("http:", "https:")
    # Several at a time, so that more than one thread asks; a session that is taken up again would hide the change.
    daemon = exporter([*({"name": f"web{n}", "http": {"url": url}} for n in range(4)),
                       {"name": "named", "http": {"url": url, "tls_config": {"ca_file": str(other[0])}}}],
                      env={"SSL_CERT_FILE": str(system)})
    for authorities, trusted in ((other, 0), (ours, 1), (other, 0)):
        system.write_bytes(b"".join(path.read_bytes() for path in {other[0], authorities[0]}))
        for _ in range(2):
            found = scrape(daemon)
            assert {value(found, "runbook_check_success", check=f"web{n}") for n in range(4)} == {trusted}
            assert value(found, "runbook_check_success", check="named") == 0  # whatever the system trusts
