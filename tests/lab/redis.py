# SPDX-License-Identifier: Apache-2.0
"""A Redis server of our own."""

import pathlib

import redis

from .parts import Process, free_port


class Redis:
    def __init__(self, directory, password=None, arguments=()):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.password = password
        self.arguments = arguments
        self.client = redis.Redis(host="127.0.0.1", port=self.port, password=password, decode_responses=True)
        self.process = None

    def start(self):
        argv = ["redis-server", "--bind", "127.0.0.1", "--port", self.port, "--save", "", "--appendonly", "no",
                "--dir", self.directory, "--daemonize", "no"]
        if self.password:
            argv += ["--requirepass", self.password]
        argv += self.arguments
        self.process = Process(argv, self.directory.with_suffix(".log")).start()
        self.process.up(self.client.ping, "Redis to answer")
        return self

    def stop(self):
        self.client.close()
        if self.process:
            self.process.stop()

    def calls(self, command):
        """How often a command was called since the server started (or CONFIG RESETSTAT)."""
        return self.client.info("commandstats").get(f"cmdstat_{command.lower()}", {}).get("calls", 0)
