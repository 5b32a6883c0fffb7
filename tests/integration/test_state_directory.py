# SPDX-License-Identifier: Apache-2.0
"""--state.directory and its files, damaged in every way: the start and the page are whole, and it is told once."""

import contextlib
import os
import re
import subprocess
import time

import pytest

from exporter_flags import ExporterWithFlags
from scraping import scrape, value
from test_heartbeat import post


def checks_in(directory, names):
    """For each name one check of each sort that keeps something, and one beside them that keeps nothing that matters."""
    (directory / "place").mkdir()
    for name in names:
        (directory / f"{name}.log").write_text("one\n")
        yield {"name": f"log_{name}", "log": {"files": str(directory / f"{name}.log"), "patterns": [{"name": "all", "pattern": "."}]}}
        yield {"name": f"beat_{name}", "heartbeat": {"period": "1d", "grace": "1h"}}
        yield {"name": f"files_{name}", "files": {"directories": [str(directory / "place")]}}
    yield {"name": "well", "system": {}}


def success(found, check):
    return value(found, "runbook_check_success", check=check)


def complaints(daemon):
    """(check, what) of each line of the log that complains."""
    return re.findall(r'level=(?:warn|error) msg="([^"]*)" check=(\w+)', daemon.process.output())


def make_link(file, target):
    file.unlink()
    file.symlink_to(target)


def move_away(file):
    """It is a link to another file from now on, which is as good."""
    kept = file.parent.parent / f"kept-{file.name}"
    file.rename(kept)
    file.symlink_to(kept)


def make_directory(file):
    file.unlink()
    file.mkdir()


def make_fifo(file):
    file.unlink()
    os.mkfifo(file)


# What is done to a file while nobody runs; and whether nothing is known then, which the check has to say.
DAMAGES = {
    "gone": (lambda file: file.unlink(), False), "moved": (move_away, False), "dangling": (lambda file: make_link(file, "/nowhere/x"), False),
    "rubbish": (lambda file: file.write_bytes(bytes(range(256)) * 3), True), "empty": (lambda file: file.write_bytes(b""), True),
    "huge": (lambda file: file.write_bytes(b"x\n" * (1 << 20)), True), "cut": (lambda file: file.write_bytes(file.read_bytes()[:-9]), True),
    "directory": (make_directory, True), "fifo": (make_fifo, True), "loop": (lambda file: make_link(file, file), True),
    "device": (lambda file: make_link(file, "/dev/zero"), True),
}


def test_a_damaged_file_costs_the_one_check_that_it_is_of(program, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    checks = list(checks_in(tmp_path, DAMAGES))
    with ExporterWithFlags(program, checks, tmp_path, f"--state.directory={state}") as daemon:
        for name in DAMAGES:
            assert post(daemon, f"/ping/beat_{name}").status == 200
        scrape(daemon)
        for name in DAMAGES:
            (tmp_path / f"{name}.log").write_text("one\ntwo\n")
        found = scrape(daemon)
        assert all(success(found, check["name"]) == 1 for check in checks)
        assert [value(found, f"runbook_exporter_state_{kind}_errors_total") for kind in ("read", "write")] == [0, 0]
        assert time.time() - value(found, "runbook_exporter_state_last_write_timestamp_seconds") < 600
    for name, (damage, _) in DAMAGES.items():
        for kept in ("log", "heartbeat-beat", "success-files"):
            damage(state / (f"log-log_{name}" if kept == "log" else f"{kept}_{name}"))
    with ExporterWithFlags(program, checks, tmp_path, f"--state.directory={state}") as daemon:
        for _ in range(3):
            found = scrape(daemon)
        assert success(found, "well") == 1
        for name, (_, lost) in DAMAGES.items():
            assert success(found, f"files_{name}") == 1, name
            assert success(found, f"log_{name}") == (0 if lost and name != "cut" else 1), name
            assert success(found, f"beat_{name}") == (1 if name == "moved" else 0), name
        told = complaints(daemon)
        assert len(told) == len(set(told)), told
        for name, (_, lost) in DAMAGES.items():
            assert not lost or any(check == f"beat_{name}" for _, check in told), name
        assert value(found, "runbook_exporter_state_read_errors_total") >= 2 * sum(lost for _, lost in DAMAGES.values())
        # With the next word of the job all is well again; of what cannot be written that is told, once.
        answers = {name: {post(daemon, f"/ping/beat_{name}").status for _ in range(2)} for name in DAMAGES}
        assert {name for name, statuses in answers.items() if statuses != {200}} == {"directory"}
        told = complaints(daemon)
        assert told.count(("A ping could not be written", "beat_directory")) == 1, told
        assert scrape(daemon)


@contextlib.contextmanager
def mounted(at, options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "runbook-test", at], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", at], check=True)


@contextlib.contextmanager
def damaged(state, how):
    """What holds until the end of the context; afterwards it is a directory again."""
    if how == "read_only":
        with mounted(state, "ro"):
            yield
    elif how == "full":
        with mounted(state, "size=4k"):
            (state / "fill").write_bytes(b"x" * 4096)
            yield
    else:
        state.rmdir()
        if how == "file":
            state.write_text("x")
        if how == "dangling":
            state.symlink_to("/nowhere/x")
        yield
        if how != "gone":
            state.unlink()
        state.mkdir()


@pytest.mark.parametrize("how", ["gone", "file", "dangling", "read_only", "full"])
def test_a_damaged_directory_costs_what_is_kept_in_it(program, tmp_path, how):
    state = tmp_path / "state"
    state.mkdir()
    checks = list(checks_in(tmp_path, ["one"]))
    with damaged(state, how):
        with ExporterWithFlags(program, checks, tmp_path, f"--state.directory={state}") as daemon:
            for _ in range(3):
                found = scrape(daemon)
            # A line that may be counted twice after a restart is not counted; what is only remembered is no failure.
            assert [success(found, name) for name in ("log_one", "files_one", "well")] == [0, 1, 1]
            assert value(found, "runbook_log_lines_total", check="log_one") in (0, None)
            assert {post(daemon, "/ping/beat_one").status for _ in range(3)} == {500}
            scrape(daemon)
            told = complaints(daemon)
            assert told.count(("A ping could not be written", "beat_one")) == 1, told
            assert all(told.count(("Check failed", name)) <= 1 for name in ("log_one", "well")), told
            assert [check for what, check in told if what.startswith("It is not remembered")].count("files_one") == 1, told
            found = scrape(daemon)
            assert value(found, "runbook_exporter_state_write_errors_total") >= 3
            assert value(found, "runbook_exporter_state_last_write_timestamp_seconds") is None
    with ExporterWithFlags(program, checks, tmp_path, f"--state.directory={state}") as daemon:
        assert post(daemon, "/ping/beat_one").status == 200
        assert all(success(scrape(daemon), check["name"]) == 1 for check in checks)
