# SPDX-License-Identifier: Apache-2.0
"""Certificates of our own, by openssl."""

import calendar
import subprocess
import time


# For a certificate that has expired: `openssl x509` of 3.5 makes none any more.
CA_CONFIG = """
[ca]
default_ca = expired
[expired]
database = index.txt
new_certs_dir = .
default_md = sha256
rand_serial = yes
policy = any
[any]
commonName = supplied
"""


class Authority:
    """A root, an intermediate authority that ends before its leaves do, and the leaves."""

    def __init__(self, directory):
        self.directory = directory
        self.make("root", "/CN=Root", 3650, extensions="basicConstraints=critical,CA:TRUE")
        self.make("middle", "/CN=Middle", 20, "root", "basicConstraints=critical,CA:TRUE")
        self.make("localhost", "/CN=localhost/O=Run, \"book\"", 90, "middle", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.make("other", "/CN=other", 60, "middle", "subjectAltName=DNS:other.example")
        self.make_expired("expired", "/CN=localhost", "middle", "subjectAltName=DNS:localhost")
        self.root = directory / "root.pem"
        for name in ("localhost", "other", "expired"):
            with open(directory / f"{name}.chain.pem", "wb") as chain:
                chain.write((directory / f"{name}.pem").read_bytes() + (directory / "middle.pem").read_bytes())

    def openssl(self, *words):
        return subprocess.run(["openssl", *words], check=True, cwd=self.directory, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True).stdout

    def request(self, name, subject, extensions):
        (self.directory / f"{name}.ext").write_text(extensions)
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
                     "-keyout", f"{name}.key", "-out", f"{name}.csr")

    def make_expired(self, name, subject, issuer, extensions):
        self.request(name, subject, extensions)
        (self.directory / "ca.cnf").write_text(CA_CONFIG)
        (self.directory / "index.txt").touch()
        self.openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", f"{issuer}.pem", "-keyfile",
                     f"{issuer}.key", "-in", f"{name}.csr", "-extfile", f"{name}.ext", "-startdate", "20250101000000Z",
                     "-enddate", "20250201000000Z", "-out", f"{name}.pem")

    def make(self, name, subject, days, issuer=None, extensions=""):
        self.request(name, subject, extensions)
        sign = ["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key", "-CAcreateserial"] if issuer else \
            ["-signkey", f"{name}.key"]
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-days", str(days), "-extfile", f"{name}.ext", *sign,
                     "-out", f"{name}.pem")

    def not_after(self, name):
        words = self.openssl("x509", "-noout", "-enddate", "-in", f"{name}.pem").strip().split("=")[1]
        return calendar.timegm(time.strptime(words, "%b %d %H:%M:%S %Y %Z"))

    def path(self, name):
        return str(self.directory / name)
