#!/usr/bin/python3
"""How much of the product a run of its tests has reached: lines and branches by room, and the files that fall short.

Usage: coverage.py BUILD, where the objects were compiled with --coverage and their programs have run.
"""
import collections
import json
import pathlib
import subprocess
import sys

from rooms import TOPS, Rooms

ENOUGH = 0.85  # of a file's lines


class Reached:
    """Lines and branches of some code: how many there are, and how many were reached."""

    def __init__(self):
        self.lines, self.branches = [0, 0], [0, 0]

    def add(self, counts, branches):
        self.lines[0] += sum(count > 0 for count in counts)
        self.lines[1] += len(counts)
        self.branches[0] += sum(count > 0 for count in branches)
        self.branches[1] += len(branches)

    def __str__(self):
        return "".join(f"{reached:7d} of {whole:5d} {100 * reached / whole if whole else 100:6.1f} %"
                       for reached, whole in (self.lines, self.branches))


def read_counts(build):
    """source → line → [count, counts of its branches], added up over the objects that have it (headers have many)."""
    notes = [str(note) for top in TOPS for note in sorted((pathlib.Path(build) / top).rglob("*.gcno"))]
    if not notes:
        sys.exit(f"coverage.py: nothing under {build} was compiled with --coverage")
    done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", *notes],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True)
    for line in done.stderr.splitlines():
        if not line.endswith((":no functions found", ":cannot open data file, assuming not executed")):
            print(line, file=sys.stderr)
    sources = collections.defaultdict(dict)
    for document in done.stdout.splitlines():
        for file in json.loads(document)["files"] if document.startswith("{") else []:
            lines = sources[file["file"]]
            for line in file["lines"]:
                branches = [branch["count"] for branch in line["branches"] if not branch["throw"]]
                known = lines.setdefault(line["line_number"], [0, [0] * len(branches)])
                known[0] += line["count"]
                known[1] = [was + more for was, more in zip(known[1], branches)] or branches
    return sources


def main(build):
    rooms = Rooms("tests/rooms.txt")
    by_room, by_file, everything = collections.defaultdict(Reached), {}, Reached()
    for source, lines in read_counts(build).items():
        room = rooms.of(source) if pathlib.Path(source).exists() else None
        if not room:
            continue
        counts = [count for count, _ in lines.values()]
        branches = [count for _, counts in lines.values() for count in counts]
        by_file[source] = Reached()
        for reached in (by_file[source], by_room[room], everything):
            reached.add(counts, branches)

    print(f"{'room':28} {'lines reached':>23} {'branches reached':>24}")
    for room in sorted(by_room):
        print(f"{room:28}{by_room[room]}")
    print(f"{'all':28}{everything}")
    short = {source: reached.lines[0] / reached.lines[1] for source, reached in by_file.items()
             if reached.lines[0] < ENOUGH * reached.lines[1]}
    print(f"\n{len(short)} of {len(by_file)} files fall under {100 * ENOUGH:.0f} % of their lines:")
    for source in sorted(short, key=lambda one: (short[one], one)):
        print(f"  {100 * short[source]:5.1f} %  {source}")


main(sys.argv[1])
