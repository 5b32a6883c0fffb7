# SPDX-License-Identifier: Apache-2.0
"""What tests of incidents ask of the outside."""

import hashlib
import pathlib


def events(incident):
    return [entry["event"] for entry in incident["timeline"]]


def steps(incident):
    """[(action, status)]"""
    return [(step["action"], step["status"]) for step in incident["steps"]]


def sealed_evidence(directory, incident):
    """The evidence files of an incident as {name: content}, after comparing each with its sum in SHA256SUMS."""
    directory = pathlib.Path(directory) / incident["number"]
    assert directory.stat().st_mode & 0o777 == 0o700
    files = {}
    for line in (directory / "SHA256SUMS").read_text(encoding="ascii").splitlines():
        total, name = line.split(maxsplit=1)
        content = (directory / name.lstrip("*")).read_bytes()
        assert hashlib.sha256(content).hexdigest() == total, f"{name} is not what was sealed"
        files[name.lstrip("*")] = content.decode(errors="replace")
    present = {file.name for file in directory.iterdir()} - {"SHA256SUMS", ".incident"}
    assert present == set(files), "a file without a sum, or a sum without a file"
    return files


def in_order(wanted, found):
    """True when all of `wanted` occur in `found` in this order."""
    rest = iter(found)
    return all(item in rest for item in wanted)
