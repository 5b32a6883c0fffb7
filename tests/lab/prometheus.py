# SPDX-License-Identifier: Apache-2.0
"""Prometheus, as Debian has it, and what it and Alertmanager have in common."""

import json
import pathlib
import shutil
import urllib.parse
import urllib.request

from .parts import Process, free_port


def get_json(url, timeout=10):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return json.load(answer)


def answers(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.status == 200


class Server:
    """A server whose configuration file is written before start()."""

    def __init__(self, directory, program, ready):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.program = shutil.which(program)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ready = ready
        self.process = None

    def launch(self, *arguments):
        argv = [self.program, f"--web.listen-address=127.0.0.1:{self.port}", *arguments]
        self.process = Process(argv, self.directory.with_suffix(".log"), cwd=self.directory).start()
        self.process.up(lambda: answers(self.url + self.ready), f"{self.program} to be ready", 60)
        return self

    def stop(self):
        if self.process:
            self.process.stop()


class Prometheus(Server):
    def __init__(self, directory):
        super().__init__(directory, "prometheus", "/-/ready")

    def start(self, config):
        return self.launch(f"--config.file={config}", f"--storage.tsdb.path={self.directory}/data")

    def query(self, query):
        """The samples of an instant query: a list of (labels, value)."""
        answer = get_json(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}")
        return [(sample["metric"], float(sample["value"][1])) for sample in answer["data"]["result"]]

    def query_range(self, query, start, end, step):
        """As query(), of all that there was from `start` to `end` (Unix seconds): a list of (labels, values)."""
        words = urllib.parse.urlencode({"query": query, "start": start, "end": end, "step": step})
        answer = get_json(f"{self.url}/api/v1/query_range?{words}")
        return [(series["metric"], series["values"]) for series in answer["data"]["result"]]

    def value(self, query):
        """The one value of an instant query, None when there is none."""
        samples = self.query(query)
        return samples[0][1] if samples else None

    def alerts(self):
        """{(alertname, service): state}"""
        answer = get_json(f"{self.url}/api/v1/alerts")
        return {(alert["labels"]["alertname"], alert["labels"].get("service", "")): alert["state"]
                for alert in answer["data"]["alerts"]}

    def targets_up(self):
        answer = get_json(f"{self.url}/api/v1/targets?state=active")
        return all(target["health"] == "up" for target in answer["data"]["activeTargets"])
