# SPDX-License-Identifier: Apache-2.0
"""Kind redis on real servers: each group against the server's own answer to another client."""

import re
import signal
import threading
import time

import pytest
import redis

from lab.parts import ROOT, wait_for
from lab.redis import Redis
from scraping import logged, promtool, scrape, value


@pytest.fixture
def server(tmp_path):
    """Starts servers that a test has for itself."""
    started = []

    def start(*arguments):
        started.append(Redis(tmp_path / f"redis-{len(started)}", arguments=arguments))
        return started[-1].start()

    yield start
    for one in started:
        one.process.send(signal.SIGCONT)
        one.stop()


@pytest.fixture
def client(redis_server):
    """The session's server, empty and with its counters at zero; as it was afterwards."""
    kept = redis_server.client.config_get("*")
    redis_server.client.flushall()
    redis_server.client.config_resetstat()
    yield redis_server.client
    redis_server.client.flushall()
    for name in ("maxmemory", "maxmemory-policy", "latency-monitor-threshold", "slowlog-log-slower-than"):
        redis_server.client.config_set(name, kept[name])


def check_of(server, **options):
    return [{"name": "redis", "redis": {"address": server.address, **options}}]


def told(found, name, **labels):
    return value(found, f"runbook_redis_{name}", check="redis", **labels)


def labelled(found, name, label):
    """{value of the label: value} of a family."""
    return {dict(labels)[label]: number for (family, labels), number in found.all.items()
            if family == f"runbook_redis_{name}"}


def groups(found):
    return labelled(found, "group_success", "group")


def test_info_is_the_servers_own_view(exporter, redis_server, client):
    client.config_set("maxmemory", "64mb")
    client.config_set("maxmemory-policy", "allkeys-lru")
    for name in ("a", "b", "c"):
        client.set(name, "x" * 100)
    client.expire("c", 1000)
    for name in ("a", "a", "a", "nothing"):
        client.get(name)
    with pytest.raises(redis.ResponseError):
        client.lpush("a", 1)
    worker = threading.Thread(target=lambda: client.blpop("queue", timeout=30))
    worker.start()
    wait_for(lambda: client.info("clients")["blocked_clients"] == 1, "the worker to wait for its queue")
    before = client.info()
    found = scrape(exporter(check_of(redis_server)))
    after = client.info()
    client.rpush("queue", "done")
    worker.join()

    assert value(found, "runbook_check_success", check="redis") == 1
    assert set(groups(found).values()) == {1} and len(groups(found)) == 9
    assert told(found, "server_info", version=after["redis_version"], mode="standalone",
                maxmemory_policy="allkeys-lru") == 1
    exact = {"keyspace_hits_total": 3, "keyspace_misses_total": 1, "keyspace_hit_ratio": 0.75, "blocked_clients": 1,
             "error_replies_total": 1, "connected_clients": before["connected_clients"] + 1,
             "max_clients": after["maxclients"], "rejected_connections_total": 0, "expired_keys_total": 0,
             "evicted_keys_total": 0, "memory_max_bytes": 64 << 20, "connected_replicas": 0, "loading": 0,
             "aof_enabled": 0, "aof_rewrite_in_progress": 0, "rdb_bgsave_in_progress": 0,
             "rdb_last_bgsave_success": 1, "rdb_changes_since_last_save": after["rdb_changes_since_last_save"],
             "rdb_last_save_timestamp_seconds": client.lastsave().timestamp()}
    assert {name: told(found, name) for name in exact} == exact
    assert told(found, "role_info", role="master") == 1
    assert labelled(found, "keys", "db") == {"0": 3}
    assert labelled(found, "keys_expiring", "db") == {"0": 1}
    # The check itself moves these.
    for name, field in (("uptime_seconds", "uptime_in_seconds"), ("commands_processed_total", "total_commands_processed"),
                        ("connections_received_total", "total_connections_received"),
                        ("network_input_bytes_total", "total_net_input_bytes"),
                        ("network_output_bytes_total", "total_net_output_bytes")):
        assert before[field] <= told(found, name) <= after[field], name
    used = told(found, "memory_used_bytes")
    assert told(found, "memory_used_ratio") == used / (64 << 20)
    assert before["used_memory"] / 2 < used < told(found, "memory_peak_bytes") * 1.01
    assert told(found, "memory_rss_bytes") > 1 << 20 and told(found, "memory_fragmentation_ratio") > 0
    assert told(found, "memory_pressure_ratio") == told(found, "memory_used_ratio")
    assert told(found, "aof_last_write_success") == told(found, "aof_last_rewrite_success") == 1 and told(found, "cut_off") == 0
    for absent in ("master_link_up", "master_last_io_seconds", "aof_size_bytes"):
        assert told(found, absent) is None, absent
    promtool(found.page)

    client.config_set("maxmemory", 0)
    client.config_resetstat()
    found = scrape(exporter(check_of(redis_server)))
    assert told(found, "keyspace_hit_ratio") is None and told(found, "memory_used_ratio") is None
    assert told(found, "memory_max_bytes") == 0  # and the machine's memory is what is left to it
    assert told(found, "memory_pressure_ratio") == told(found, "memory_used_bytes") / client.info("memory")["total_system_memory"]


def test_groups_are_chosen(exporter, redis_server, client):
    found = scrape(exporter(check_of(redis_server, groups=["memory", "slowlog"])))
    assert groups(found) == {"memory": 1, "slowlog": 1}
    assert told(found, "memory_used_bytes") > 0 and told(found, "ping_seconds") > 0
    for other in ("connected_clients", "keyspace_hits_total", "loading", "uptime_seconds"):
        assert told(found, other) is None, other
    asked = client.info("commandstats")
    assert "cmdstat_latency|latest" not in asked and asked["cmdstat_slowlog|get"]["calls"] == 1

    client.config_resetstat()
    found = scrape(exporter(check_of(redis_server, groups=[])))
    assert value(found, "runbook_check_success", check="redis") == 1 and groups(found) == {}
    assert set(client.info("commandstats")) <= {"cmdstat_ping", "cmdstat_config|resetstat"}


def test_a5_a_flushed_database_has_no_keys_rather_than_no_series(exporter, redis_server, client):
    other = redis.Redis(host="127.0.0.1", port=redis_server.port, db=3)
    daemon = exporter(check_of(redis_server, groups=["keyspace"]))
    assert labelled(scrape(daemon), "keys", "db") == {"0": 0}
    client.set("a", 1, ex=1000)
    other.set("b", 1)
    assert labelled(scrape(daemon), "keys", "db") == {"0": 1, "3": 1}
    client.flushall()
    found = scrape(daemon)
    assert labelled(found, "keys", "db") == labelled(found, "keys_expiring", "db") == {"0": 0, "3": 0}
    other.close()


def skipped(found, reason="unreadable"):
    return value(found, "runbook_check_items_skipped", check="redis", reason=reason)


def test_kind_2_what_an_acl_hides_is_skipped_and_never_zero_or_empty(exporter, redis_server, client, tmp_path):
    """Key patterns and commands: each item that is refused is counted and told, and costs no other."""
    secret = tmp_path / "password"
    secret.write_text("hunter2\n")
    client.rpush("queue:mine", 1, 2)
    client.rpush("queue:theirs", 1, 2, 3)
    for i in range(300):
        client.set(f"session:{i}", "x" * 100)
    client.set("queue:big", "x" * 100000)
    rules = [rule for rule in documented_user() if rule != "%R~*"]
    client.execute_command("ACL", "SETUSER", "runbook_exporter", *rules, "%R~queue:[mb]*", "-xlen")
    try:
        keys = [{"key": "queue:mine"}, {"key": "queue:theirs"}, {"key": "queue:gone"}]
        daemon = exporter(check_of(redis_server, user="runbook_exporter", password_file=str(secret), keys=keys, big_keys={"top": 3}))
        found = scrape(daemon)
        assert value(found, "runbook_check_success", check="redis") == 1
        assert told(found, "key_length", db="0", key="queue:mine") == 2
        for name in ("queue:theirs", "queue:gone"):  # who may not look does not know that there is none
            assert [told(found, f"key_{what}", db="0", key=name) for what in ("exists", "length", "memory_bytes")] == [None] * 3
        # Of 303 keys, 302 are looked at in spite of those that are refused; the readable ones are told.
        assert set(labelled(found, "big_key_bytes", "key")) == {"queue:big", "queue:mine"}
        assert told(found, "big_keys_rounds_total") == 1 and told(found, "big_keys_scanned_total") == 303
        assert skipped(found) == 2 + 301 and groups(found)["keys"] == groups(found)["big_keys"] == 0
        output = daemon.process.output()
        assert 'key \\"queue:theirs\\" of database 0, TYPE: NOPERM' in output and "session:" not in output
        assert "a key of database 0, MEMORY USAGE: NOPERM" in output

        client.execute_command("ACL", "SETUSER", "runbook_exporter", "-info", "-llen", "-scan", "-memory|usage", "resetkeys", "%R~*")
        found = scrape(daemon)
        assert told(found, "key_exists", db="0", key="queue:theirs") == 1
        assert told(found, "key_length", db="0", key="queue:theirs") is None
        assert told(found, "key_length", db="0", key="queue:gone") == 0  # TYPE says so
        assert labelled(found, "keys", "db") == {} and told(found, "memory_used_bytes") is None
        # INFO, LLEN of two, MEMORY USAGE of three, of what was big of two, and SCAN
        assert skipped(found) == 1 + 2 + 3 + 2 + 1
        promtool(found.page)
    finally:
        client.execute_command("ACL", "DELUSER", "runbook_exporter")


def test_a_replica_that_never_found_its_primary_is_cut_off(exporter, server):
    replica = server("--replicaof", "127.0.0.1", "1")
    found = scrape(exporter(check_of(replica, groups=["replication"])))
    assert told(found, "master_link_up") == 0 and told(found, "cut_off") == 1
    assert told(found, "master_link_down_seconds") is None  # nobody knows for how long


def test_latency_events_and_slow_commands(exporter, redis_server, client):
    client.config_set("latency-monitor-threshold", 10)
    client.config_set("slowlog-log-slower-than", 10000)
    client.slowlog_reset()
    client.execute_command("LATENCY", "RESET")
    daemon = exporter(check_of(redis_server, groups=["latency", "slowlog"]))
    found = scrape(daemon)
    assert told(found, "slow_commands_total") is None and labelled(found, "latency_event_last_seconds", "event") == {}
    for milliseconds in (40, 20):
        client.eval("local t = redis.call('TIME'); local from = t[1] * 1000000 + t[2]; "
                    "repeat t = redis.call('TIME') until t[1] * 1000000 + t[2] - from > ARGV[1] * 1000", 0, milliseconds)

    def view():
        events = [row for row in client.execute_command("LATENCY", "LATEST") if row[0] == "command"]
        return events[0], client.slowlog_get(1)[0]

    def undisturbed():  # nothing else was slow while it was looked at
        before, page, after = view(), scrape(daemon), view()
        return before == after and (*before, page)

    (event, when, last, longest), newest, found = wait_for(undisturbed, "a quiet moment")
    assert told(found, "latency_event_last_seconds", event=event) == last / 1000
    assert told(found, "latency_event_max_seconds", event=event) == longest / 1000 >= 0.04
    assert told(found, "latency_event_timestamp_seconds", event=event) == when
    assert told(found, "slow_commands_total") == newest["id"] + 1
    assert told(found, "slow_command_last_seconds") == pytest.approx(newest["duration"] / 1e6)
    assert "repeat" not in found.page
    promtool(found.page)


def test_persistence_by_real_saves(exporter, server):
    own = server()
    daemon = exporter(check_of(own, groups=["persistence"]))
    own.client.set("a", 1)
    found = scrape(daemon)
    assert told(found, "rdb_changes_since_last_save") == 1 and told(found, "rdb_last_bgsave_duration_seconds") is None

    started = told(found, "rdb_last_save_timestamp_seconds")
    wait_for(lambda: time.time() >= started + 1, "the clock to tell a save from the start")
    own.client.bgsave()
    found = wait_for(lambda: (page := scrape(daemon)) and told(page, "rdb_changes_since_last_save") == 0 and
                     told(page, "rdb_bgsave_in_progress") == 0 and page, "the save")
    assert told(found, "rdb_last_save_timestamp_seconds") == own.client.lastsave().timestamp() > started
    assert told(found, "rdb_last_bgsave_success") == 1
    assert told(found, "rdb_last_bgsave_duration_seconds") == own.client.info()["rdb_last_bgsave_time_sec"] >= 0

    (own.directory / "dump.rdb").unlink()
    (own.directory / "dump.rdb").mkdir()  # a file cannot take its place
    own.client.bgsave()
    found = wait_for(lambda: (page := scrape(daemon)) and told(page, "rdb_last_bgsave_success") == 0 and page,
                     "the save to fail")
    assert value(found, "runbook_check_success", check="redis") == 1

    own.client.config_set("appendonly", "yes")  # writes the first one by a rewrite
    found = wait_for(lambda: (page := scrape(daemon)) and told(page, "aof_last_rewrite_duration_seconds") is not None
                     and told(page, "aof_rewrite_in_progress") == 0 and page, "the rewrite of the AOF")
    assert told(found, "aof_enabled") == 1 and told(found, "aof_last_rewrite_success") == 1
    assert told(found, "aof_last_write_success") == 1
    assert told(found, "aof_size_bytes") == own.client.info()["aof_current_size"] > 0


def test_replication_from_both_sides(exporter, server):
    primary = server("--repl-diskless-sync-delay", "0")
    replica = server("--replicaof", "127.0.0.1", str(primary.port))
    above = exporter(check_of(primary, groups=["replication"]))
    below = exporter(check_of(replica, groups=["replication"]))
    name = f"127.0.0.1:{replica.port}"
    found = wait_for(lambda: (page := scrape(above)) and told(page, "replica_online", replica=name) == 1 and
                     told(page, "replica_lag_bytes", replica=name) == 0 and page, "the replica to follow")
    assert told(found, "connected_replicas") == 1 and told(found, "role_info", role="master") == 1
    assert 0 <= told(found, "replica_lag_seconds", replica=name) < 30
    found = wait_for(lambda: (page := scrape(below)) and told(page, "master_link_up") == 1 and page, "the link")
    assert told(found, "role_info", role="slave") == 1 and told(found, "master_sync_in_progress") == 0
    assert told(found, "master_last_io_seconds") >= 0 and told(found, "master_link_down_seconds") == 0
    assert told(found, "cut_off") == 0
    promtool(found.page)

    replica.process.send(signal.SIGSTOP)
    primary.client.set("big", "x" * 50000)
    found = scrape(above)
    assert told(found, "replica_lag_bytes", replica=name) > 50000
    replica.process.send(signal.SIGCONT)
    primary.process.kill()
    found = wait_for(lambda: (page := scrape(below)) and told(page, "master_link_up") == 0 and page, "the link to break")
    # Redis forgets when it heard last as soon as the link is down: the value stays, and grows.
    assert told(found, "master_last_io_seconds") == told(found, "master_link_down_seconds") >= 0
    assert told(found, "cut_off") == 1
    assert value(found, "runbook_check_success", check="redis") == 1


def test_keys_of_each_type(exporter, redis_server, client):
    client.rpush("queue", *range(7))
    client.sadd("set", *range(6))
    client.hset("hash", mapping={str(i): i for i in range(5)})
    client.zadd("sorted", {str(i): i for i in range(4)})
    client.set('str "é"', "x" * 3)
    for i in range(5):
        client.xadd("events", {"n": i})
    other = redis.Redis(host="127.0.0.1", port=redis_server.port, db=3)
    other.rpush("queue", 1, 2)
    expected = {"queue": 7, "set": 6, "hash": 5, "sorted": 4, 'str "é"': 3, "events": 5}
    chosen = [{"key": name} for name in expected] + [{"key": "queue", "db": 3}, {"key": "gone"}, {"key": "set", "db": 9999}]
    daemon = exporter(check_of(redis_server, groups=["stats"], keys=chosen[:-1]))
    client.config_resetstat()
    found = scrape(daemon)
    assert groups(found) == {"stats": 1, "keys": 1}
    assert client.info("commandstats")["cmdstat_type"]["calls"] == len(chosen) - 1  # each key is asked for once
    for name, length in expected.items():
        labels = {"db": "0", "key": name.replace('"', '\\"')}
        assert told(found, "key_exists", **labels) == 1
        assert told(found, "key_length", **labels) == length, name
        assert told(found, "key_memory_bytes", **labels) == client.memory_usage(name), name
    assert told(found, "key_length", db="3", key="queue") == 2
    assert told(found, "key_exists", db="0", key="gone") == 0 and told(found, "key_length", db="0", key="gone") == 0
    assert told(found, "key_memory_bytes", db="0", key="gone") == 0
    assert labelled(found, "stream_group_lag", "group") == {}
    promtool(found.page)

    client.delete("queue", "set")
    client.set("queue", "another type")
    found = scrape(daemon)
    assert told(found, "key_length", db="0", key="queue") == 12
    assert told(found, "key_exists", db="0", key="set") == 0

    # A database that there is not leaves its keys out, and only them.
    found = scrape(exporter(check_of(redis_server, keys=chosen[::-1])))
    assert value(found, "runbook_check_success", check="redis") == 1
    assert groups(found)["keys"] == 0 and groups(found)["stats"] == 1
    assert told(found, "key_exists", db="9999", key="set") is None
    assert told(found, "key_length", db="3", key="queue") == 2 and told(found, "key_length", db="0", key="events") == 5
    other.close()


def test_consumer_groups_of_a_stream(exporter, redis_server, client):
    for i in range(10):
        client.xadd("events", {"n": i})
    client.xgroup_create("events", "workers", id="0")
    client.xgroup_create("events", "idle", id="$")
    read = client.xreadgroup("workers", "one", {"events": ">"}, count=4)
    client.xreadgroup("workers", "two", {"events": ">"}, count=1)
    client.xack("events", "workers", read[0][1][0][0])
    daemon = exporter(check_of(redis_server, groups=[], keys=[{"key": "events"}]))
    found = scrape(daemon)
    mine = {"db": "0", "key": "events", "group": "workers"}
    assert told(found, "stream_group_lag", **mine) == 5
    assert told(found, "stream_group_pending", **mine) == 4
    assert told(found, "stream_group_consumers", **mine) == 2
    assert told(found, "stream_group_pending", db="0", key="events", group="idle") == 0
    promtool(found.page)
    client.xdel("events", client.xrange("events")[7][0])  # then Redis cannot tell the lag any more
    found = scrape(daemon)
    assert told(found, "stream_group_lag", **mine) is None and told(found, "stream_group_pending", **mine) == 4


def test_big_keys_are_found_bit_by_bit(exporter, redis_server, client):
    pipe = client.pipeline(transaction=False)
    for i in range(1200):
        pipe.set(f"small:{i}", "x")
    for i in range(5):
        pipe.set(f"big:{i}", "x" * (10000 * (i + 1)))
    pipe.rpush("list", *["y" * 500] * 100)
    pipe.execute()
    other = redis.Redis(host="127.0.0.1", port=redis_server.port, db=3)
    other.set(b"bin\0\xff" + b"n" * 200, "x" * 40000)
    shown = "bin\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}" + "n" * 123 + "…"
    daemon = exporter(check_of(redis_server, groups=[], big_keys={"sample": 500, "top": 4}))
    client.config_resetstat()
    found = scrape(daemon)
    assert groups(found) == {"big_keys": 1}
    assert 500 <= told(found, "big_keys_scanned_total") <= 600 and told(found, "big_keys_rounds_total") == 0
    # In batches: never more of the table at a time, and never more often.
    assert client.info("commandstats")["cmdstat_scan"]["calls"] <= 5
    assert "cmdstat_keys" not in client.info("commandstats")

    found = wait_for(lambda: (page := scrape(daemon)) and told(page, "big_keys_rounds_total") == 1 and page, "a round")
    biggest = {name: client.memory_usage(name, samples=5) for name in ("list", "big:4", "big:3")}
    assert labelled(found, "big_key_bytes", "key") == {**biggest, shown: other.memory_usage(other.keys("*")[0])}
    assert told(found, "big_key_bytes", db="0", key="list") == biggest["list"]
    order = list(labelled(found, "big_key_bytes", "key").values())
    assert order == sorted(order, reverse=True)
    assert told(found, "big_key_bytes", db="3", key=shown) > 40000
    promtool(found.page)

    # What has gone is gone from the next page, and what has grown is told as it is now.
    client.delete("list")
    client.set("big:3", "x" * 100000)
    found = scrape(daemon)
    assert "list" not in labelled(found, "big_key_bytes", "key")
    assert told(found, "big_key_bytes", db="0", key="big:3") == client.memory_usage("big:3")
    found = wait_for(lambda: (page := scrape(daemon)) and told(page, "big_keys_rounds_total") == 2 and page, "a round")
    assert set(labelled(found, "big_key_bytes", "key")) == {shown, "big:4", "big:3", "big:2"}

    client.flushall()
    found = scrape(daemon)
    assert labelled(found, "big_key_bytes", "key") == {} and groups(found) == {"big_keys": 1}
    other.close()


def documented_user():
    """The words behind ACL SETUSER in docs/redis.md, without the name."""
    line = re.search(r"^ACL SETUSER runbook_exporter (.*)$", (ROOT / "docs/redis.md").read_text(), re.MULTILINE).group(1)
    return line.replace("PASSWORD", "hunter2").split()


def test_a_user_of_least_rights_and_no_secret_told(exporter, redis_server, client, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("hunter2\n")
    client.rpush("queue", 1)
    client.xadd("events", {"n": 1})
    client.xgroup_create("events", "workers")
    for name, command in (("hash", "HSET"), ("set", "SADD"), ("sorted", "ZADD"), ("text", "SET")):
        client.execute_command(command, name, *{"HSET": ("a", 1), "ZADD": (1, "a")}.get(command, ("a",)))
    keys = [{"key": name} for name in ("queue", "events", "hash", "set", "sorted", "text", "gone")]
    keys.append({"key": "queue", "db": 3})
    checks = check_of(redis_server, user="runbook_exporter", password_file=str(secret), keys=keys, big_keys={})
    client.execute_command("ACL", "SETUSER", "runbook_exporter", *documented_user())
    try:
        daemon = exporter(checks)
        found = scrape(daemon)
        assert value(found, "runbook_check_success", check="redis") == 1
        assert set(groups(found).values()) == {1} and len(groups(found)) == 11
        assert len(labelled(found, "big_key_bytes", "key")) == 6
        assert told(found, "stream_group_lag", db="0", key="events", group="workers") is not None
        assert logged(daemon, "Redis refused a part of a check") == []

        # Each right that is taken away leaves out what needs it, and nothing else.
        client.execute_command("ACL", "SETUSER", "runbook_exporter", "-latency|latest", "-slowlog|get", "-scan",
                               "resetkeys", "%R~queue")
        for _ in range(2):
            found = scrape(daemon)
        assert value(found, "runbook_check_success", check="redis") == 1
        assert {name for name, fine in groups(found).items() if not fine} == {"latency", "slowlog", "keys", "big_keys"}
        assert told(found, "key_length", db="0", key="queue") == 1
        assert told(found, "key_exists", db="0", key="events") is None
        lines = logged(daemon, "Redis refused a part of a check")
        assert len(lines) == 4 and all("NOPERM" in line and "docs/redis.md" in line for line in lines)

        client.execute_command("ACL", "SETUSER", "runbook_exporter", "-info")
        found = scrape(daemon)
        assert value(found, "runbook_check_success", check="redis") == 1 and told(found, "ping_seconds") > 0
        assert set(groups(found).values()) == {0, } and told(found, "memory_used_bytes") is None

        client.execute_command("ACL", "SETUSER", "runbook_exporter", "-ping")
        assert value(scrape(daemon), "runbook_check_success", check="redis") == 0
        assert "PING: the ACL user may not do this" in daemon.page("/")
        client.execute_command("ACL", "SETUSER", "runbook_exporter", "off")
        assert value(scrape(daemon), "runbook_check_success", check="redis") == 0
        assert "refused the login" in daemon.page("/")
        assert "hunter2" not in daemon.page("/") + daemon.process.output()
    finally:
        client.execute_command("ACL", "DELUSER", "runbook_exporter")


def test_a_server_without_room_or_login_or_data_says_so(exporter, server):
    own = server("--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024")
    daemon = exporter(check_of(own))

    own.client.config_set("requirepass", "hunter2")
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="redis") == 0 and told(found, "ping_seconds") is None
    assert "the server wants a login: give password_file" in daemon.page("/")
    own.client.config_set("requirepass", "")

    own.client.config_set("maxclients", 1)
    assert value(scrape(daemon), "runbook_check_success", check="redis") == 0
    assert "max number of clients reached" in daemon.page("/")
    own.client.config_set("maxclients", 100)

    pipe = own.client.pipeline(transaction=False)
    for i in range(500):  # ten seconds of loading, which nobody waits for
        pipe.set(str(i), "x" * 1000)
    pipe.execute()
    own.client.save()
    own.client.close()
    own.process.kill()
    own.process.start()

    def loading():
        page = scrape(daemon)
        return told(page, "loading") == 1 and page

    found = wait_for(loading, "the server to load")
    assert value(found, "runbook_check_success", check="redis") == 0 and told(found, "ping_seconds") is None
    assert "the server is still loading its data" in daemon.page("/")
    assert labelled(found, "keys", "db") == {}  # not even INFO knows yet
    own.process.kill()


def test_a_hung_server_fails_by_its_timeout_and_keeps_nobody(exporter, redis_server, server, client):
    own = server()
    checks = check_of(redis_server) + [{"name": "hung", "timeout": "700ms", "redis": {"address": own.address}}]
    daemon = exporter(checks)
    assert value(scrape(daemon), "runbook_check_success", check="hung") == 1
    own.process.send(signal.SIGSTOP)
    client.set("a", 1)
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="hung") == 0
    assert value(found, "runbook_redis_ping_seconds", check="hung") is None
    assert value(found, "runbook_check_success", check="redis") == 1 and labelled(found, "keys", "db") == {"0": 1}
    assert "did not answer in time" in daemon.page("/")
    own.process.send(signal.SIGCONT)
    assert value(scrape(daemon), "runbook_check_success", check="hung") == 1
