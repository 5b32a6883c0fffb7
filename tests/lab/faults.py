# SPDX-License-Identifier: Apache-2.0
"""Calls of a daemon that are let fail, one by one, by a library that is loaded into it (tests/fault/fail.c)."""

import errno
import mmap
import os
import pathlib
import struct

CALLS = ("fsync", "write", "malloc", "accept", "pthread_create")
ORDERS = struct.Struct("=iiii")  # after, times, error, call
COUNTS = struct.Struct(f"=I{len(CALLS)}I")


class Faults:
    def __init__(self, build, path):
        self.library = pathlib.Path(build) / "tests/fault/fail.so"
        assert self.library.exists(), f"{self.library} is missing: run `make {self.library}`"
        self.path = pathlib.Path(path)
        self.path.write_bytes(b"\0" * 4096)
        with open(self.path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), 4096)
        self.none()

    @property
    def env(self):
        return {"LD_PRELOAD": str(self.library.resolve()), "RUNBOOK_FAULTS": str(self.path)}

    def none(self):
        ORDERS.pack_into(self._map, 0, 0, 0, 0, -1)

    def order(self, call, after, times=1, error=errno.EIO):
        """From now on `after` calls succeed, `times` fail."""
        self.none()
        ORDERS.pack_into(self._map, 0, after, times, error, -1)
        struct.pack_into("=i", self._map, 12, CALLS.index(call))

    @property
    def failed(self):
        return COUNTS.unpack_from(self._map, ORDERS.size)[0]

    def seen(self, call):
        return COUNTS.unpack_from(self._map, ORDERS.size)[1 + CALLS.index(call)]


def name(error):
    return os.strerror(error)
