# SPDX-License-Identifier: Apache-2.0
"""Pages that stay as they are: held against tests/data/golden, or written there when RUNBOOK_GOLDEN=write says so."""

import difflib
import os

from lab.parts import ROOT

DIRECTORY = ROOT / "tests" / "data" / "golden"


def assert_golden(name, text):
    path = DIRECTORY / name
    if os.environ.get("RUNBOOK_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    was = path.read_text(encoding="utf-8")
    assert text == was, "".join(difflib.unified_diff(was.splitlines(True), text.splitlines(True), str(name), "now"))
