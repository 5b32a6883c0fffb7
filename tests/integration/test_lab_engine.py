# SPDX-License-Identifier: Apache-2.0
"""The Engine of the lab beside one of the machine's own."""

import os
import subprocess
import sys

from lab.parts import ROOT

SCRIPT = """
import sys
from lab.engine import Engine
engine = Engine(sys.argv[1]).start()
try:
    print(engine.output("info", "--format", "{{.ServerVersion}}"))
finally:
    engine.stop()
"""


def test_n01_the_labs_engine_leaves_the_machines_containerd_alone(workspace):
    """dockerd takes the containerd that it finds at the machine's place; here nobody answers there, as ours must not ask."""
    hidden = ("mkdir -p /run/containerd && mount -t tmpfs none /run/containerd && touch /run/containerd/containerd.sock && "
              'exec "$0" -c "$@"')
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", hidden, sys.executable, SCRIPT,
                           workspace.directory / "beside"], check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, cwd=ROOT / "tests",
                          env={**os.environ, "PYTHONPATH": ".", "DOCKER_CONTEXT": "of-the-machine", "DOCKER_TLS_VERIFY": "1"})
    assert done.returncode == 0, done.stdout
    assert done.stdout.strip()[0].isdigit()
