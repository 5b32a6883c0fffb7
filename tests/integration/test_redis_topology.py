# SPDX-License-Identifier: Apache-2.0
"""Kind redis at a Sentinel and in a cluster, each of real servers."""

import re
import signal
import socketserver
import threading

import pytest

from lab.parts import ROOT, free_port, wait_for
from lab.redis import Redis, Sentinel, make_cluster
from scraping import logged, promtool, scrape, value


@pytest.fixture
def parts(tmp_path):
    """Starts servers and Sentinels, by class and arguments, and ends them."""
    started = []

    def start(kind, *arguments, **options):
        started.append(kind(tmp_path / f"part-{len(started)}", *arguments, **options))
        return started[-1].start()

    yield start
    for part in started:
        part.process.send(signal.SIGCONT)
        part.stop()


def check_of(address, **options):
    return [{"name": "redis", "timeout": "3s", "redis": {"address": address, **options}}]


def told(found, name, **labels):
    return value(found, f"runbook_redis_{name}", check="redis", **labels)


def series(found, name):
    return [dict(labels) for (family, labels), _ in found.all.items() if family == f"runbook_redis_{name}"]


def groups(found):
    return {labels["group"]: told(found, "group_success", group=labels["group"]) for labels in series(found, "group_success")}


def success(found):
    return value(found, "runbook_check_success", check="redis")


def skipped(found):
    return value(found, "runbook_check_items_skipped", check="redis", reason="unreadable")


def nodes_up(found):
    """{address: (role, whether it is up)} of the nodes of a cluster."""
    return {labels["node"]: (labels["role"], told(found, "cluster_node_up", **{key: labels[key] for key in ("id", "node", "role")}))
            for labels in series(found, "cluster_node_up")}


def watched(parts, sentinels, quorum=2, password=None):
    """A master, its replica and the Sentinels that watch them."""
    master = parts(Redis)
    replica = parts(Redis, arguments=["--replicaof", "127.0.0.1", str(master.port)])
    return master, replica, [parts(Sentinel, master, quorum, password) for _ in range(sentinels)]


def test_redis_exporter_405_440_918_a_sentinel_tells_of_its_masters(exporter, parts):
    master, _, (one, other) = watched(parts, 2)
    daemon = exporter(check_of(one.address))

    def known():
        page = scrape(daemon)
        return told(page, "sentinel_master_replicas", master="mymaster") == 1 and \
            told(page, "sentinel_master_sentinels", master="mymaster") == 2 and \
            told(page, "sentinel_quorum_ok", master="mymaster") == 1 and page

    found = wait_for(known, "the Sentinels to know each other")
    assert success(found) == 1 and told(found, "sentinel_masters") == 1 and told(found, "sentinel_tilt") == 0
    assert told(found, "sentinel_master_up", master="mymaster") == 1
    assert told(found, "sentinel_master_info", master="mymaster", address=master.address, status="ok") == 1
    # What a Sentinel is not for is neither measured nor missed.
    assert groups(found) == {"server": 1, "clients": 1, "stats": 1, "sentinel": 1}
    assert logged(daemon, "Redis refused a part of a check") == []
    promtool(found.page)

    # Unless it is asked for by name: then it is missing.
    found = scrape(exporter(check_of(one.address, groups=["sentinel", "memory", "latency", "cluster"])))
    assert success(found) == 1 and groups(found) == {"sentinel": 1, "memory": 0, "latency": 0, "cluster": 0}

    other.process.kill()
    wait_for(lambda: told(scrape(daemon), "sentinel_quorum_ok", master="mymaster") == 0, "the quorum to be lost")
    master.process.kill()
    found = wait_for(lambda: (page := scrape(daemon)) and told(page, "sentinel_master_up", master="mymaster") == 0 and page,
                     "the master to be missed")
    assert success(found) == 1


def test_kind_2_a_sentinel_that_refuses_ckquorum_is_not_without_quorum(exporter, parts, tmp_path):
    _, _, (one,) = watched(parts, 1, 1)
    rules = re.findall(r"^ACL SETUSER runbook_exporter (.*)$", (ROOT / "docs/redis.md").read_text(), re.MULTILINE)[1]
    one.client.execute_command("ACL", "SETUSER", "runbook_exporter", *rules.replace("PASSWORD", "hunter2").split())
    (tmp_path / "password").write_text("hunter2\n")
    daemon = exporter(check_of(one.address, user="runbook_exporter", password_file=str(tmp_path / "password")))
    found = scrape(daemon)
    assert success(found) == 1 and set(groups(found).values()) == {1}
    assert told(found, "sentinel_quorum_ok", master="mymaster") == 1

    one.client.execute_command("ACL", "SETUSER", "runbook_exporter", "-sentinel|ckquorum")
    found = scrape(daemon)
    assert success(found) == 1 and groups(found)["sentinel"] == 0
    assert told(found, "sentinel_quorum_ok", master="mymaster") is None and skipped(found) == 1
    assert told(found, "sentinel_master_up", master="mymaster") == 1


def test_redis_exporter_1025_1078_the_master_that_a_sentinel_names_is_measured(exporter, parts, tmp_path):
    (tmp_path / "password").write_text("hunter2\n")
    master, replica, (one,) = watched(parts, 1, 1, "hunter2")
    sentinel = {"master": "mymaster", "password_file": str(tmp_path / "password")}
    master.client.rpush("queue", 1, 2)
    daemon = exporter(check_of(one.address, sentinel=sentinel, keys=[{"key": "queue"}]))
    found = scrape(daemon)
    assert success(found) == 1 and told(found, "role_info", role="master") == 1, daemon.page("/")
    assert told(found, "key_length", db="0", key="queue") == 2
    assert told(found, "sentinel_master_info", master="mymaster", address=master.address) == 1

    wait_for(lambda: one.client.sentinel_master("mymaster")["num-slaves"] == 1 and
             replica.client.info("replication")["master_link_status"] == "up", "the replica to be known")
    wait_for(lambda: one.client.execute_command("SENTINEL", "FAILOVER", "mymaster"), "the failover")
    found = wait_for(lambda: (page := scrape(daemon)) and
                     told(page, "sentinel_master_info", master="mymaster", address=replica.address) and page, "the new master")
    assert success(found) == 1 and told(found, "key_length", db="0", key="queue") == 2
    promtool(found.page)

    wrong = exporter(check_of(one.address, sentinel={**sentinel, "master": "nobody"}))
    assert success(scrape(wrong)) == 0 and f"the Sentinel {one.address}: it knows no master" in wrong.page("/")
    assert "hunter2" not in wrong.page("/") + wrong.process.output() + daemon.process.output()


@pytest.fixture
def cluster(parts):
    nodes = [parts(Redis, arguments=["--cluster-enabled", "yes", "--cluster-port", free_port(), "--cluster-node-timeout", "2000",
                                     "--cluster-require-full-coverage", "no"]) for _ in range(3)]
    make_cluster(nodes)
    return nodes


def owner(nodes, key):
    """Which of the nodes has the key."""
    return nodes[nodes[0].client.execute_command("CLUSTER", "KEYSLOT", key) * 3 // 16384]


def keys_of(nodes, node, count):
    return [key for key in (f"key:{i}" for i in range(1000)) if owner(nodes, key) is node][:count]


def test_redis_exporter_273_580_597_723_752_1029_keys_are_followed_through_a_cluster(exporter, cluster):
    names = [keys_of(cluster, node, 2) for node in cluster]
    for length, (full, _) in enumerate(names, 1):
        owner(cluster, full).client.rpush(full, *range(length))
    daemon = exporter(check_of(cluster[0].address, keys=[{"key": key} for pair in names for key in pair]))
    for node in cluster:
        node.client.config_resetstat()
    found = scrape(daemon)
    assert success(found) == 1 and groups(found)["keys"] == groups(found)["cluster"] == 1, daemon.process.output()
    for length, (full, empty) in enumerate(names, 1):
        assert told(found, "key_length", db="0", key=full) == length and told(found, "key_exists", db="0", key=full) == 1
        assert told(found, "key_length", db="0", key=empty) == 0 and told(found, "key_exists", db="0", key=empty) == 0
    assert [node.calls("type") for node in cluster] == [2, 2, 2] and [node.calls("ping") for node in cluster][1:] == [0, 0]
    expected = {"ok": 1, "slots_assigned": 16384, "slots_ok": 16384, "slots_pfail": 0, "slots_fail": 0, "known_nodes": 3, "size": 3}
    assert {name: told(found, f"cluster_{name}") for name in expected} == expected
    assert nodes_up(found) == {node.address: ("master", 1) for node in cluster} and told(found, "cluster_nodes_failing") == 0
    assert told(found, "server_info", version=cluster[0].client.info()["redis_version"], mode="cluster", maxmemory_policy="noeviction") == 1
    promtool(found.page)

    # A node that hangs has its share of the time, and costs its keys.
    cluster[1].process.send(signal.SIGSTOP)
    found = scrape(daemon)
    assert success(found) == 1 and groups(found)["keys"] == 0 and skipped(found) == 2
    assert told(found, "key_length", db="0", key=names[1][0]) is None and told(found, "key_exists", db="0", key=names[1][1]) is None
    assert told(found, "key_length", db="0", key=names[2][0]) == 3 and told(found, "key_length", db="0", key=names[0][0]) == 1
    found = wait_for(lambda: (page := scrape(daemon)) and told(page, "cluster_slots_fail") > 5000 and page, "the node to fail")
    assert told(found, "key_length", db="0", key=names[1][0]) is None and told(found, "key_length", db="0", key=names[2][0]) == 3
    assert nodes_up(found) == {node.address: ("master", node is not cluster[1]) for node in cluster}
    assert told(found, "cluster_nodes_failing") == 1 and groups(found)["cluster"] == 1
    promtool(found.page)


def test_kind_2_a_node_that_refuses_cluster_nodes_still_tells_of_the_cluster(exporter, parts):
    """Of one node alone: it has no slots, and knows no address of its own."""
    node = parts(Redis, arguments=["--cluster-enabled", "yes", "--cluster-port", free_port()])
    daemon = exporter(check_of(node.address, groups=["cluster"]))
    found = scrape(daemon)
    assert nodes_up(found) == {f":{node.port}": ("master", 1)} and told(found, "cluster_ok") == 0 and groups(found) == {"cluster": 1}
    node.client.execute_command("ACL", "SETUSER", "default", "-cluster|nodes")
    found = scrape(daemon)
    assert success(found) == 1 and groups(found) == {"cluster": 0} and skipped(found) == 1
    assert nodes_up(found) == {} and told(found, "cluster_nodes_failing") is None and told(found, "cluster_ok") == 0
    node.client.execute_command("ACL", "SETUSER", "default", "-cluster|info", "+cluster|nodes")
    found = scrape(daemon)
    assert groups(found) == {"cluster": 0} and told(found, "cluster_nodes_failing") == 0 and told(found, "cluster_ok") is None


def test_kind_2_keys_of_other_nodes_need_cluster_slots(exporter, cluster):
    (other, *_) = keys_of(cluster, cluster[1], 1)
    cluster[0].client.execute_command("ACL", "SETUSER", "default", "-cluster|slots")
    daemon = exporter(check_of(cluster[0].address, groups=[], keys=[{"key": other}]))
    found = scrape(daemon)
    assert success(found) == 1 and groups(found) == {"keys": 0} and skipped(found) == 1
    assert told(found, "key_exists", db="0", key=other) is None
    assert "at another node, CLUSTER SLOTS: NOPERM" in daemon.process.output()


class Liar(socketserver.StreamRequestHandler):
    """A Redis that says that keys are elsewhere."""

    def handle(self):
        self.server.connections += 1
        while line := self.rfile.readline():
            words = []
            for _ in range(int(line[1:])):
                length = int(self.rfile.readline()[1:])
                words.append(self.rfile.read(length + 2)[:-2].decode())
            if words[0] == "PING":
                self.wfile.write(b"+PONG\r\n")
            elif words[0] == "CLUSTER":
                self.wfile.write(f"*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:{self.server.server_address[1]}\r\n".encode())
            else:
                self.wfile.write(f"-MOVED 1 {self.server.lies[words[1] if words[0] == 'TYPE' else words[2]]}\r\n".encode())


def test_moved_leads_to_nodes_of_the_cluster_alone_and_once(exporter):
    """Whatever a server says, it sends the exporter, and its password, to no other host, path or round."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Liar) as server, \
            socketserver.ThreadingTCPServer(("127.0.0.1", 0), Liar) as other:
        for one in (server, other):
            one.daemon_threads, one.connections = True, 0
            threading.Thread(target=one.serve_forever, daemon=True).start()
        own = f"127.0.0.1:{server.server_address[1]}"
        server.lies = {"elsewhere": f"127.0.0.1:{other.server_address[1]}", "path": "/run/docker.sock:6379", "round": own,
                       "nonsense": "nowhere", "empty": ":"}
        daemon = exporter(check_of(own, groups=[], keys=[{"key": key} for key in server.lies]))
        found = scrape(daemon)
        assert success(found) == 1 and skipped(found) == 5 and series(found, "key_exists") == []
        assert server.connections == 2 and other.connections == 0
        assert "MOVED leads to what is no primary of the cluster" in daemon.process.output()
        for one in (server, other):
            one.shutdown()
