# SPDX-License-Identifier: Apache-2.0
"""Kind files on real backups: those of pg_dump, Redis, tar and gzip, whole and cut off."""

import gzip
import os
import pathlib
import subprocess
import tarfile

import pytest

from exporter_flags import ExporterWithFlags
from lab.postgres import program as postgres_program
from scraping import logged, promtool, scrape, value


@pytest.fixture
def backups(exporter, tmp_path):
    """An exporter that looks for a backup of one format; tell(content) puts it there and scrapes."""
    directory = tmp_path / "backups"
    directory.mkdir()

    class Backups:
        def __init__(self):
            self.daemon = None
            self.number = 0

        def of(self, form, **options):
            self.daemon = exporter([{"name": "backup", "files": {"directories": str(directory), "format": form,
                                                                 "max_age": "1d", **options}}])
            return self

        def tell(self, content):
            """(success, readable) of a new newest file."""
            self.number += 1
            for old in directory.iterdir():
                os.utime(old, (1, 1))
            (directory / f"{self.number}.backup").write_bytes(content)
            self.page = scrape(self.daemon)
            return tuple(value(self.page, name, check="backup", **labels) for name, labels in (
                ("runbook_check_success", {}), ("runbook_files_newest_readable", {"directory": str(directory)})))

    return Backups()


def dump(postgres, form, *options):
    return subprocess.run([postgres_program("pg_dump"), "-F", form, *options, "-d", postgres.dsn()], check=True,
                          stdout=subprocess.PIPE).stdout


def test_dumps_of_postgresql(backups, postgres):
    backups.of("postgres", pg_restore=postgres_program("pg_restore"))
    postgres.sql("CREATE TABLE backed_up AS SELECT md5(n::text) FROM generate_series(1, 10000) AS n")
    try:
        custom, plain, tar = (dump(postgres, form) for form in "cpt")
    finally:
        postgres.sql("DROP TABLE backed_up")
    assert backups.tell(custom) == (1, 1), backups.daemon.page("/")
    promtool(backups.page.page)
    assert backups.tell(custom[:100]) == (0, 0)
    assert "pg_restore --list:" in backups.daemon.page("/")
    for cut in (1, 100, 1000, 100000):  # behind the list: a full disk, a lost connection
        assert backups.tell(custom[:-cut]) == (0, 0)
        assert "the dump is cut off" in backups.daemon.page("/")
    for options in (["-s"], ["-a"], ["-Z0"], ["-t", "vector_embeddings"]):  # without data, without a head, …
        assert backups.tell(dump(postgres, "c", *options)) == (1, 1), backups.daemon.page("/")
    assert backups.tell(plain) == (1, 1)
    assert backups.tell(plain[:-200]) == (0, 0)
    assert "the dump is cut off" in backups.daemon.page("/")
    assert backups.tell(tar) == (1, 1), backups.daemon.page("/")
    assert backups.tell(tar[:-1024]) == (0, 0)
    assert "the tar archive is cut off" in backups.daemon.page("/")
    assert backups.tell(b"something else, long enough" * 100) == (0, 0)
    assert backups.tell(b"") == (0, 0)
    assert "is empty" in backups.daemon.page("/")


def test_a_file_is_looked_into_once(backups, postgres, target, tmp_path):
    tool = tmp_path / "pg_restore"  # it tells its calls by HTTP, as the exporter's sandbox lets it write nowhere
    tool.write_text(f'#!/bin/sh\nexec curl --silent --fail --noproxy "*" "{target.url}$1/$2/$3"\n')
    tool.chmod(0o755)
    backups.of("postgres", pg_restore=str(tool))
    custom = dump(postgres, "c")
    assert backups.tell(custom) == (1, 1)
    for _ in range(3):
        assert value(scrape(backups.daemon), "runbook_check_success", check="backup") == 1
    assert len(target.hits) == 1
    assert backups.tell(custom) == (1, 1)
    assert len(target.hits) == 2
    assert target.hits[1][0].startswith("/--list/--//")


def test_a_program_that_is_missing_is_no_verdict_about_the_backup(backups, postgres):
    backups.of("postgres", pg_restore="/nowhere/pg_restore")
    assert backups.tell(dump(postgres, "c")) == (0, None)
    assert "/nowhere/pg_restore: No such file or directory" in backups.daemon.page("/")


def test_snapshots_of_redis(backups, redis_server):
    client = redis_server.client
    client.set("key", "value" * 1000)
    client.save()
    snapshot = pathlib.Path(client.config_get("dir")["dir"], client.config_get("dbfilename")["dbfilename"]).read_bytes()
    client.flushall()
    backups.of("redis")
    assert backups.tell(snapshot) == (1, 1), backups.daemon.page("/")
    assert backups.tell(snapshot[:-1]) == (0, 0)
    assert "the RDB file is cut off" in backups.daemon.page("/")
    assert backups.tell(snapshot[:12]) == (0, 0)
    assert backups.tell(b"RODIS" + snapshot[5:]) == (0, 0)
    assert "not an RDB file" in backups.daemon.page("/")


def test_archives(backups, tmp_path):
    (tmp_path / "content").write_bytes(os.urandom(20000))
    archives = {}
    for mode in ("w", "w:gz"):
        with tarfile.open(tmp_path / "archive", mode) as archive:
            archive.add(tmp_path / "content", "content")
        archives[mode] = (tmp_path / "archive").read_bytes()
    backups.of("tar")
    assert backups.tell(archives["w"]) == (1, 1)
    assert backups.tell(archives["w:gz"]) == (1, 1)
    for cut in (1, 8, 9, 5000, 20000):  # within the checksum, at it, and within the data
        assert backups.tell(archives["w:gz"][:-cut]) == (0, 0)
        assert "the gzip file is damaged or cut off" in backups.daemon.page("/")
    flipped = bytearray(archives["w:gz"])
    flipped[10000] ^= 1
    assert backups.tell(bytes(flipped)) == (0, 0)
    assert backups.tell(gzip.compress(archives["w"][:10240])) == (0, 0)  # tar was killed, gzip was not
    assert "the tar archive in gzip is cut off" in backups.daemon.page("/")
    assert backups.tell(archives["w"][:10240]) == (0, 0)
    assert "the tar archive is cut off" in backups.daemon.page("/")
    assert backups.tell(b"x" + archives["w"][1:]) == (0, 0)
    assert backups.tell(gzip.compress(b"no tar" * 1000)) == (0, 0)


def test_gzip(backups):
    backups.of("gzip")
    whole = gzip.compress(b"a log line\n" * 1000)
    assert backups.tell(whole) == (1, 1)
    assert backups.tell(whole[:10] + bytes([7] * 40)) == (0, 0)
    assert "the gzip file is damaged or cut off" in backups.daemon.page("/")
    assert backups.tell(whole[:-1]) == (0, 0)
    assert backups.tell(whole + whole) == (1, 1)  # as pigz and logrotate append
    assert backups.tell(whole + whole[:-1]) == (0, 0)
    assert backups.tell(whole + bytes(512)) == (1, 1)
    assert backups.tell(b"a log line\n" * 1000) == (0, 0)


def test_the_last_backup_is_too_old(backups, tmp_path):
    backups.of("any", min_size=5)
    assert backups.tell(b"x" * 5) == (1, None)
    for file in (tmp_path / "backups").iterdir():
        os.utime(file, (1, 1))
    page = scrape(backups.daemon)
    assert value(page, "runbook_check_success", check="backup") == 0
    assert value(page, "runbook_files_newest_timestamp_seconds", check="backup",
                 directory=str(tmp_path / "backups")) == 1
    assert "the newest file is older than 1d" in backups.daemon.page("/")
    assert backups.tell(b"x" * 4) == (0, None)


# Root that may not read what its mode forbids, as the unit's user cannot.
NO_OVERRIDE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")


def test_b1_lost_and_found_costs_itself(program, tmp_path):
    directory = tmp_path / "bk"
    for path in ("lost+found", "locked/below", "open"):
        (directory / path).mkdir(parents=True)
    (directory / "postgres_mcp.dump").write_bytes(b"x" * 10)
    (directory / "open" / "postgres_mcp.dump").write_bytes(b"x" * 5)
    for path, mode in (("lost+found", 0), ("locked", 0o444)):  # the second can be listed, and no more
        (directory / path).chmod(mode)
    checks = [{"name": "b1", "files": {"directories": str(directory), "recursive": True,
                                       "pattern": "postgres_mcp.dump", "max_age": "1d", "min_count": 2}}]
    with ExporterWithFlags(program, checks, tmp_path, launcher=NO_OVERRIDE) as daemon:
        for _ in range(2):
            found = scrape(daemon)
            assert value(found, "runbook_check_success", check="b1") == 1, daemon.page("/")
            assert value(found, "runbook_files_present", check="b1", directory=str(directory)) == 2
            assert value(found, "runbook_files_size_bytes", check="b1", directory=str(directory)) == 15
            assert value(found, "runbook_check_items_skipped", check="b1", reason="unreadable") == 2
            promtool(found.page)
        told = logged(daemon, "Items of the check were skipped")
        assert len(told) == 1 and "lost+found: Permission denied" in told[0], told
        assert "locked/below: Permission denied" in told[0], told
        page = daemon.page("/")
        assert "2 items were skipped: " in page and "lost+found: Permission denied" in page
        directory.chmod(0)  # nothing measured is not fine
        assert value(scrape(daemon), "runbook_check_success", check="b1") == 0
        assert "bk: Permission denied" in daemon.page("/")
        directory.chmod(0o444)
        assert value(scrape(daemon), "runbook_check_success", check="b1") == 0
        for path in (".", "lost+found", "locked"):
            (directory / path).chmod(0o755)
        found = scrape(daemon)
        assert value(found, "runbook_check_success", check="b1") == 1
        assert value(found, "runbook_check_items_skipped", check="b1", reason="unreadable") is None


def test_b1_names_that_are_not_utf8_are_measured(program, tmp_path):
    directory = os.fsencode(tmp_path / "bk")
    os.makedirs(directory + b"/dir\xff")
    os.makedirs(directory + b"/locked\xfe", mode=0)
    for name in (b"/a\xff.dump", b"/dir\xff/b\xfe.dump"):
        with open(directory + name, "wb") as file:
            file.write(b"no gzip")
    checks = [{"name": "b1", "files": {"directories": os.fsdecode(directory), "recursive": True, "format": "gzip"}}]
    with ExporterWithFlags(program, checks, tmp_path, launcher=NO_OVERRIDE) as daemon:
        found = scrape(daemon)
        assert value(found, "runbook_files_present", check="b1", directory=os.fsdecode(directory)) == 2
        assert value(found, "runbook_files_newest_readable", check="b1", directory=os.fsdecode(directory)) == 0
        assert value(found, "runbook_check_items_skipped", check="b1", reason="unreadable") == 1
        promtool(found.page)
        assert "not a gzip file" in daemon.page("/")
        assert any("locked\N{REPLACEMENT CHARACTER}: Permission denied" in line for line in logged(daemon, "Items of the check were skipped"))


def test_b1_directories_beyond_the_depth_cost_themselves(exporter, tmp_path):
    deep = tmp_path / "deep"
    deep.joinpath(*["d"] * 40).mkdir(parents=True)
    (deep / "a").write_text("a")
    found = scrape(exporter([{"name": "b1", "files": {"directories": str(deep), "recursive": True}}]))
    assert value(found, "runbook_check_success", check="b1") == 1
    assert value(found, "runbook_files_present", check="b1", directory=str(deep)) == 1
    assert value(found, "runbook_check_items_skipped", check="b1", reason="beyond_limit") == 1
