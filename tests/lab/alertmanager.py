# SPDX-License-Identifier: Apache-2.0
"""Alertmanager, as Debian has it."""

import json
import urllib.request

from .prometheus import Server, get_json


class Alertmanager(Server):
    def __init__(self, directory):
        super().__init__(directory, "prometheus-alertmanager", "/-/ready")

    def start(self, config):
        return self.launch(f"--config.file={config}", f"--storage.path={self.directory}/data",
                           "--cluster.listen-address=")

    def alerts(self):
        return get_json(f"{self.url}/api/v2/alerts")

    def send(self, *alerts):
        """As Prometheus does it."""
        request = urllib.request.Request(f"{self.url}/api/v2/alerts", data=json.dumps(alerts).encode(),
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200
