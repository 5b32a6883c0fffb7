# SPDX-License-Identifier: Apache-2.0
"""A new kind and a new action are one file and one line each, a new page two lines: the templates become some, in a copy
of the tree."""

import json
import os
import re
import shutil
import subprocess
import types

import pytest

from lab.parts import ROOT, wait_for
from lab.runbook import Exporter, Responder
from lab.webhook import alert_of

# The template and what it becomes; then what is changed in which files, as re.sub() wants it.
ADDED = (
    ("tests/templates/kind.c", "exporter/kinds/pidfile.c",
     (("exporter/kinds/kinds.c", r"(?<=#define KINDS\(X\))( +\\\n)", r"\1        X(pidfile) \\\n"),)),
    ("tests/templates/action.c", "responder/actions/host/flag.c",
     (("responder/actions/actions.c", r"(?<=#define ACTIONS\(X\))( +\\\n)", r"\1        X(host_flag) \\\n"),)),
    ("tests/templates/page.c", "responder/web/pages/open.c",
     (("responder/web/pages/pages.h", r"(?m)^(page_maker )", r"\1page_still_open, "),
      ("responder/web/web.c", r"(struct http_route routes\[\] = \{\n)",
       r"""\1        {"GET", "/open", READING(.shows = page_still_open)},\n"""))),
)


def copy(source, target, *patterns):
    """The files of these names, with their times, so that make builds nothing of them."""
    def others(directory, names):
        return [name for name in names if not (os.path.isdir(os.path.join(directory, name)) or
                                               any(re.fullmatch(pattern, name) for pattern in patterns))]

    shutil.copytree(source, target, ignore=others)


@pytest.fixture(scope="module")
def grown(build, tmp_path_factory):
    """The copy: .tree, its programs in .build, and the sources that were .compiled for it."""
    tree = tmp_path_factory.mktemp("grown")
    there = tree / build.relative_to(ROOT)
    for top in ("include", "lib", "exporter", "responder"):
        copy(ROOT / top, tree / top, r".*\.([ch]|proto|css|js)")
    copy(ROOT / "tests/lab/service", tree / "tests/lab/service", r".*\.(c|h|mk)")
    copy(ROOT / "docker", tree / "docker", r".*\.mk")
    for name in ("lib", "exporter", "responder", "generated"):
        copy(build / name, there / name, r".*\.([odch]|pb-c\..*)")
    for name in ("lib.a", "exporter.a", "responder.a", "flags"):
        shutil.copy2(build / name, there / name)
    for name in ("Makefile", "CHANGELOG.md"):
        shutil.copy2(ROOT / name, tree / name)

    for template, file, changes in ADDED:
        shutil.copy(ROOT / template, tree / file)
        for changed, place, line in changes:
            text, count = re.subn(place, line, (tree / changed).read_text(encoding="utf-8"))
            assert count == 1, changed
            (tree / changed).write_text(text, encoding="utf-8")
    (tree / "tests" / "unit").mkdir()

    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "-j2", "V=1", f"BUILD={build.relative_to(ROOT)}", *(there / "flags").read_text().splitlines(),
                           "build"], cwd=tree, env=environment, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0 and "warning" not in done.stdout, done.stdout
    return types.SimpleNamespace(tree=tree, build=there, compiled=re.findall(r" -c -o \S+ (\S+)$", done.stdout, re.M))


def run(program, *words, given=None):
    return subprocess.run([program, *words], input=given, text=True, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)


def test_nothing_else_is_compiled(grown):
    wanted = {path for _, file, changes in ADDED for path in (file, *(changed for changed, _, _ in changes))}
    door = "responder/web/pages/pages.h"  # which the room's own internal.h and that of responder/web include, nobody else
    wanted |= {str(path.relative_to(grown.tree)) for path in (grown.tree / "responder/web").rglob("*.c")
               if re.search(r'"responder/web/(pages/)?(internal|pages)\.h"', path.read_text(encoding="utf-8"))}
    assert sorted(grown.compiled) == sorted(wanted - {door})


def test_they_keep_the_rooms(grown):
    done = subprocess.run([ROOT / "tests/check_rooms", ROOT / "tests/rooms.txt", grown.build], cwd=grown.tree, text=True,
                          check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


def test_the_kind_is_there(grown, tmp_path):
    program = grown.build / "runbook_exporter"
    assert "pidfile" in run(program, "--help").stdout
    described = run(program, "describe").stdout
    assert "\n## pidfile\n" in described and "`runbook_pidfile_process_alive`" in described and "| `settle` |" in described

    config = tmp_path / "checks.yml"
    config.write_text("checks:\n  - name: daemon\n    pidfile:\n      path: /run/daemon.pid\n      settel: 2s\n")
    mistaken = run(program, f"--config.file={config}", "--config.check")
    assert mistaken.returncode == 1
    assert f"{config}:5:7: unknown key 'settel'" in mistaken.stdout and "settle" in mistaken.stdout

    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    config.write_text(f"checks:\n  - name: daemon\n    pidfile: {{path: {tmp_path}/pid}}\n")
    daemon = Exporter(program, config, tmp_path / "exporter").start()
    try:
        assert f'runbook_pidfile_process_alive{{check="daemon",path="{tmp_path}/pid"}} 1\n' in daemon.page()
    finally:
        assert daemon.stop() == 0


def test_the_action_is_there(grown, tmp_path):
    program = grown.build / "runbook_responder"
    assert "host.flag" in run(program, "--help").stdout
    described = run(program, "describe").stdout
    assert "### `host.flag`" in described and "its directory must be there" in described

    config = tmp_path / "remediations.yml"
    text = "escalate_to: nobody\nremediations:\n  - name: switch\n    match: [alertname=\"a\"]\n    steps:\n      - host.flag:\n          path: PATH\n"
    config.write_text(text.replace("PATH", "relative"))
    mistaken = run(program, f"--config.file={config}", "--config.check")
    assert mistaken.returncode == 1
    assert f"{config}:7:17: \"relative\" is not an absolute path" in mistaken.stdout

    flag = tmp_path / "responder/flag"  # beside the journal: elsewhere its sandbox lets it write nothing
    config.write_text(text.replace("PATH", str(flag)))
    planned = run(program, "plan", f"--config.file={config}", "--alert=-", given=json.dumps(alert_of("a")))
    assert planned.returncode == 0 and f"create {flag}" in planned.stdout, planned.stdout
    daemon = Responder(program, config, tmp_path / "responder").start()
    try:
        daemon.send(alert_of("a"))
        wait_for(lambda: flag.exists(), "the action to run")
    finally:
        assert daemon.stop() == 0


def test_the_page_is_there(grown, tmp_path):
    config = tmp_path / "remediations.yml"
    config.write_text("escalate_to: nobody\nremediations:\n  - name: ask\n    match: [alertname=\"a\"]\n    approval: true\n"
                      "    steps: [host.memory: {}]\n")
    daemon = Responder(grown.build / "runbook_responder", config, tmp_path / "responder").start()
    try:
        daemon.send(alert_of("a"))
        daemon.wait_state("ask", "awaiting_approval")
        page = daemon.page("/open")
        assert "<h1>Open incidents</h1>" in page
        assert 'waits for approval</span></th><td class="n">1</td></tr>' in page and "held back" not in page
    finally:
        assert daemon.stop() == 0
