# SPDX-License-Identifier: Apache-2.0
"""tests/check_rooms: silent on this tree, and it names each sin that is planted in a copy, by file and symbol."""

import os
import shutil
import subprocess

import pytest

from lab.parts import ROOT

READ_BY_IT = ("include", "lib", "exporter", "responder", "tests/unit")
ROOMS = "tests/rooms.txt"


def linked(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(source)


@pytest.fixture
def house(tmp_path, build):
    """A copy of all that check_rooms reads, made of links."""
    for top in READ_BY_IT:
        for source in (ROOT / top).rglob("*.[ch]"):
            linked(source, tmp_path / source.relative_to(ROOT))
    for top in ("lib", "exporter", "responder"):
        for source in (build / top).rglob("*.o"):
            linked(source, tmp_path / "build" / source.relative_to(build))
    shutil.copy(ROOT / ROOMS, tmp_path / "tests")
    return tmp_path


def plant(house, name, text):
    """Writes a file; a .c file is compiled, too, unless it cannot be."""
    path = house / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")
    if name.endswith(".c") and "#include" not in text:
        item = (house / "build" / name).with_suffix(".o")
        item.parent.mkdir(parents=True, exist_ok=True)
        item.unlink(missing_ok=True)
        subprocess.run(["cc", "-c", "-o", item, path], check=True)


def check(directory, build, env=None):
    """What it complains about, line by line; its exit status and its last line, the summary, agree with that."""
    done = subprocess.run([ROOT / "tests" / "check_rooms", ROOMS, build], cwd=directory, env={**os.environ, **(env or {})},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    *complaints, summary = done.stdout.splitlines()
    assert summary.endswith(f"{len(complaints)} complaints"), done.stdout
    assert done.returncode == bool(complaints), done.stdout
    return complaints


def test_this_house_keeps_its_floors_and_one_nm_tells_so(build, tmp_path):
    count = tmp_path / "calls"
    shim = tmp_path / "nm"
    shim.write_text(f'#!/bin/sh\necho >> {count}\nexec {shutil.which("nm")} "$@"\n')
    shim.chmod(0o755)
    assert check(ROOT, build, {"PATH": f"{tmp_path}:{os.environ['PATH']}"}) == []
    assert count.read_text() == "\n"


NOWHERE = ("lib/attic/planted.c", "exporter/attic/planted.c", "exporter/kinds/attic/planted.c", "responder/actions/attic/planted.c")

# What is planted, and the complaints that come of it.
PLANTS = {
    "a forbidden include": (
        {"lib/base/planted.c": '#include "responder/journal/journal.h"\n'},
        ["lib/base may not use responder/journal: lib/base/planted.c includes responder/journal/journal.h"]),
    "an include of another kind": (
        {"exporter/kinds/redis/planted.h": '#include "exporter/kinds/docker/stats.h"\n'},
        ["exporter/kinds/redis may not use exporter/kinds/docker: "
         "exporter/kinds/redis/planted.h includes exporter/kinds/docker/stats.h"]),
    "a call by a copied declaration": (
        {"exporter/schedule/planted.c": "int postgres_connected(void *);\n"
                                        "int planted(void *p) { return postgres_connected(p); }\n"},
        ["exporter/schedule may not use lib/postgres: "
         "exporter/schedule/planted.c uses postgres_connected of lib/postgres/session.c"]),
    "a circle": (
        {"lib/base/one.c": "int planted_two(void);\nint planted_one(void) { return planted_two(); }\n",
         "lib/base/two.c": "int planted_one(void);\nint planted_two(void) { return planted_one(); }\n"},
        ["circle: lib/base/one.c uses planted_two of lib/base/two.c",
         "circle: lib/base/two.c uses planted_one of lib/base/one.c"]),
    "a private header out of its folder": (
        {"responder/web/planted.h": '#include "responder/engine/internal.h"\n'},
        ["responder/web/planted.h includes responder/engine/internal.h, which is for its own folder alone"]),
    "a header of lib that is no door": (
        {"lib/config/planted.h": '#include "lib/pattern/program.h"\n'},
        ["lib/config may not use lib/pattern: lib/config/planted.h includes lib/pattern/program.h",
         "lib/config/planted.h includes lib/pattern/program.h, which is for its own folder alone"]),
    "a folder that is no room": (
        {name: f"int planted{number};\n" for number, name in enumerate(NOWHERE)},
        [f"{name} stands in no room of the list" for name in NOWHERE]),
    "a test that opens another room": (
        {"tests/unit/lib/base/test_planted.c": '#include "lib/docker/internal.h"\n'},
        ["tests/unit/lib/base/test_planted.c includes lib/docker/internal.h, which is not of the room that it tests"]),
    "an action and a kind whose paths are not their names": (
        {"responder/actions/docker/planted.c": "struct action { int x; };\nextern const struct action action_docker_stop;\n"
                                               "const struct action action_docker_stop = {1};\n",
         "exporter/kinds/planted.c": "struct check_kind { int x; };\nconst struct check_kind check_kind_other = {1};\n"},
        ["responder/actions/docker/planted.c defines action_docker_stop, whose place is not there by its name",
         "exporter/kinds/planted.c defines check_kind_other, whose place is not there by its name"]),
    "a symbol that a room must never use": (
        {"lib/base/planted.c": "char *getwd(char *);\nchar *planted(char *p) { return getwd(p); }\n"},
        ["lib/base/planted.c uses getwd, which lib/base must never do"]),
}


@pytest.mark.parametrize("plants", PLANTS)
def test_what_is_planted_is_named(house, plants):
    files, complaints = PLANTS[plants]
    for name, text in files.items():
        plant(house, name, text)
    with open(house / ROOMS, "a", encoding="utf-8") as rooms:
        rooms.write("never lib/base getw?\n")
    assert sorted(check(house, "build")) == sorted(complaints)


def test_an_object_whose_source_is_gone_is_not_asked(house):
    plant(house, "lib/base/planted.c", "int journal_close(void *);\nint planted(void *p) { return journal_close(p); }\n")
    assert check(house, "build") != []
    (house / "lib/base/planted.c").unlink()
    assert check(house, "build") == []
