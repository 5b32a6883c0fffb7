# SPDX-License-Identifier: Apache-2.0
"""Certificates, made by openssl for the time of a test."""

import pathlib
import subprocess


def openssl(*words, **options):
    subprocess.run(["openssl", *map(str, words)], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, **options)


class Authority:
    """A certificate authority of its own, in a directory."""

    def __init__(self, directory, name="lab"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.file, self.key = self.directory / f"{name}-ca.pem", self.directory / f"{name}-ca.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                self.key, "-out", self.file, "-days", 2, "-subj", f"/CN={name}")

    def issue(self, name, sans=None, purpose=None, common_name=None):
        """(certificate, key)."""
        certificate, key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        request, extensions = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
                request, "-subj", f"/CN={common_name or name}")
        extensions.write_text("basicConstraints=CA:FALSE\n" + (f"subjectAltName={sans}\n" if sans else "") +
                              (f"extendedKeyUsage={purpose}\n" if purpose else ""))
        openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.key, "-CAcreateserial", "-days", 2,
                "-out", certificate, "-extfile", extensions)
        return certificate, key
