# SPDX-License-Identifier: Apache-2.0
"""Exporters of the integration tests: with flags, and started by another program."""

import json

from lab.runbook import Exporter


class AskedExporter(Exporter):
    """Its checks run when a test asks and not before, so that a test counts what it asked for."""

    def arguments(self):
        return [*super().arguments(), "--no-run-at-start"]


class ExporterWithFlags(AskedExporter):
    """`launcher` is started in the exporter's place, with its command line behind its own."""

    def __init__(self, program, checks, directory, *flags, launcher=()):
        super().__init__(program, directory / "checks.yml", directory / "exporter")
        self.flags = flags
        self.write(checks)
        if launcher:
            self.program = self.directory / self.program.name
            words = " ".join(f"'{word}'" for word in [*launcher, program])
            self.program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
            self.program.chmod(0o755)

    def write(self, checks):
        self.config.write_text(json.dumps({"checks": checks}))  # JSON is YAML

    def arguments(self):
        return [*super().arguments(), *self.flags]

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        status = self.stop()
        assert kind or status == 0
