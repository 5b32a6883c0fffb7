# SPDX-License-Identifier: Apache-2.0
"""Pages that stay as they are: held against tests/data/golden, or written there when RUNBOOK_GOLDEN=write says so."""

import difflib
import html
import os
import re

from lab.parts import ROOT

DIRECTORY = ROOT / "tests" / "data" / "golden"


def readable(page):
    """What a person reads on an HTML page, but the version, and where links lead, a row or paragraph a line."""
    page = re.sub(r"<title>.*?</title>|<noscript>.*?</noscript>|<a class=.skip.*?</a>", "", page, flags=re.S)
    page = re.sub(r"(Version|runbook_responder) [0-9.]*[0-9]", r"\1 ~", page)
    page = re.sub(r'<time datetime="([^"]*)" title=[^>]*>[^<]*</time>', r"\1", page)
    page = re.sub(r'<a [^>]*?href="([^"]*)"[^>]*>', r"[\1] ", page)
    page = re.sub(r"</(?:p|h\d|nav|tr|dd|li)>", "\n", re.sub(r"\s+", " ", page))
    page = re.sub(r"</(?:td|th)>", " | ", page)
    lines = (" ".join(html.unescape(re.sub(r"<[^>]*>", "", line)).split()) for line in page.split("\n"))
    return "".join(line + "\n" for line in lines if line)


def assert_golden(name, text):
    path = DIRECTORY / name
    if os.environ.get("RUNBOOK_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    was = path.read_text(encoding="utf-8")
    assert text == was, "".join(difflib.unified_diff(was.splitlines(True), text.splitlines(True), str(name), "now"))
