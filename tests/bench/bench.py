# SPDX-License-Identifier: Apache-2.0
"""`make bench`: how fast and how small the daemons are, each figure beside a peer measured in the same run.

Rounds alternate between us and the peer, and the median of the rounds counts: these machines are noisy, and a ratio
holds where a figure alone does not. Prints one table, writes build/bench.json. Traffic stays on 127.0.0.1.

`bench.py ROOM...` measures in these rooms alone, and writes nothing. With BESIDE=DIR in the environment the daemons of
that tree are the only peers.
"""

import json
import os
import pathlib
import shutil
import sys

sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from bench import beside, checklist, encoding, growth, kinds, pages, remediation, webhooks  # noqa: E402
from bench.installation import Installation  # noqa: E402
from bench.measuring import ROUNDS, Table  # noqa: E402
from lab.engine import Engine  # noqa: E402
from lab.parts import ROOT, Workspace  # noqa: E402

ROOMS = {room.__name__.rpartition(".")[2]: room
         for room in (pages, webhooks, checklist, kinds, encoding, growth, remediation)}
PROGRAMS = ("wrk", "webhook", "prometheus-node-exporter", "prometheus-postgres-exporter", "prometheus-redis-exporter",
            "prometheus-blackbox-exporter")


class Bench:
    """What the rooms share: a directory, an Engine and an installation of DevOps MCP, started when they are asked for."""

    def __init__(self):
        self.workspace = Workspace()
        self.directory = self.workspace.path("bench")
        self.node_rss = self.webhook_rss = None
        self._engine = self._installation = None

    @property
    def engine(self):
        if not self._engine:
            self._engine = Engine(self.workspace.directory / "engine").start()
        return self._engine

    def installation(self):
        if not self._installation:
            self._installation = Installation(self.workspace.directory / "mcp", self.engine)
            self._installation.start()
        return self._installation

    def leave_installation(self):
        """The lab of the last room has the same Compose project."""
        if self._installation:
            self._installation.stop()
            self._installation = None

    def stop(self):
        self.leave_installation()
        if self._engine:
            self._engine.stop()
        self.workspace.remove()


def main(names):
    table = Table()
    bench = Bench()
    try:
        rooms = [beside] if os.environ.get("BESIDE") else [ROOMS[name] for name in names or ROOMS]
        for room in rooms:
            if room is remediation:
                bench.leave_installation()
            room.run(table, bench)
    finally:
        bench.stop()
    if rooms == list(ROOMS.values()):
        (ROOT / "build").mkdir(exist_ok=True)
        (ROOT / "build/bench.json").write_text(
            json.dumps({"rounds": ROUNDS, "rows": table.rows}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    table.print()
    return 0


if __name__ == "__main__":
    for program in PROGRAMS:
        assert shutil.which(program), f"{program} is missing: make deps GROUP=bench"
    sys.exit(main(sys.argv[1:]))
