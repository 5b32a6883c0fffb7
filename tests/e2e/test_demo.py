# SPDX-License-Identifier: Apache-2.0
"""`make demo` tells its story to the end."""

import os
import subprocess
import sys

from lab.parts import MARK, ROOT


def test_demo_heals(binaries, build, service_program):
    env = {name: value for name, value in os.environ.items() if name != MARK}
    done = subprocess.run([sys.executable, "-m", "tests.lab.demo", "--once", f"--build={build}"], cwd=ROOT, env=env,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240, check=False)
    assert done.returncode == 0, done.stdout
    story = [line.split()[2] for line in done.stdout.splitlines() if " s  " in line]
    for chapter in ("fault", "metric", "alert", "received", "step", "verify", "healed", "notify"):
        assert chapter in story, (chapter, done.stdout)
