# SPDX-License-Identifier: Apache-2.0
"""Alertmanager, as Debian has it."""

from .prometheus import Server, get_json


class Alertmanager(Server):
    def __init__(self, directory):
        super().__init__(directory, "prometheus-alertmanager", "/-/ready")

    def start(self, config):
        return self.launch(f"--config.file={config}", f"--storage.path={self.directory}/data",
                           "--cluster.listen-address=")

    def alerts(self):
        return get_json(f"{self.url}/api/v2/alerts")
