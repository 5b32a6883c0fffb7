# SPDX-License-Identifier: Apache-2.0
"""A Redis server of our own."""

import pathlib

import redis

from .parts import Process, free_port, wait_for


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


class Sentinel:
    """A Redis Sentinel of our own, which watches one master."""

    def __init__(self, directory, master, quorum, password=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.client = redis.Redis(host="127.0.0.1", port=self.port, password=password, decode_responses=True)
        self.process = None
        lines = [f"port {self.port}", "bind 127.0.0.1", f"dir {self.directory}",
                 f"sentinel monitor mymaster 127.0.0.1 {master.port} {quorum}",
                 "sentinel down-after-milliseconds mymaster 1000", "sentinel failover-timeout mymaster 10000"]
        if password:
            lines.append(f"requirepass {password}")
        (self.directory / "sentinel.conf").write_text("\n".join(lines) + "\n")

    def start(self):
        self.process = Process(["redis-server", self.directory / "sentinel.conf", "--sentinel"],
                               self.directory.with_suffix(".log")).start()
        self.process.up(self.client.ping, "the Sentinel to answer")
        return self

    def stop(self):
        self.client.close()
        if self.process:
            self.process.stop()


def make_cluster(nodes):
    """Makes a cluster of nodes that were started with --cluster-enabled: the slots in equal parts, nothing twice."""
    for i, node in enumerate(nodes):
        node.client.execute_command("CLUSTER", "ADDSLOTSRANGE", 16384 * i // len(nodes), 16384 * (i + 1) // len(nodes) - 1)
        node.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
    for node in nodes[1:]:
        bus = node.client.config_get("cluster-port")["cluster-port"]
        nodes[0].client.execute_command("CLUSTER", "MEET", "127.0.0.1", node.port, bus)

    def whole():
        return all(node.client.cluster("INFO")["cluster_state"] == "ok" and
                   node.client.cluster("INFO")["cluster_size"] == str(len(nodes)) for node in nodes)

    wait_for(whole, "the cluster")
