# SPDX-License-Identifier: Apache-2.0
"""Every key of checks.yml, as the reference page lists them: left out, given alone, and given what it does not take.

The exporter names each mistake with its place, and lives with everything that it takes. What the checks would ask is not there.
"""

import json
import re
import subprocess

import pytest

from exporter_flags import ExporterWithFlags
from lab.parts import ROOT, free_port
from scraping import scrape, value

DEAD = f"127.0.0.1:{free_port()}"

# What a word of the reference page takes: something that is right, and something that is not.
TAKES = {
    "a string": ("x", {"a": "b"}), "a list of strings": (["x"], {"a": "b"}), "a mapping of words to strings": ({"a": "b"}, "x"),
    "a whole number": (1, "many"), "a number": (0.5, "much"), "a duration": ("1s", "soon"), "a size": ("1KiB", "big"),
    "true or false": (True, "perhaps"), "the path of a file": ("/nowhere/secret", {"a": "b"}),
    "a list of mappings": (None, "x"), "a mapping": (None, "x"), "a value": (None, None),
}

# Where any word will not do.
RIGHT = {
    "url": f"http://{DEAD}/", "address": DEAD, "dsn": "host=/nowhere dbname=mcp", "files": ["/nowhere/*.log"], "paths": ["/"],
    "directories": ["/nowhere"], "command": ["/bin/true"], "units": ["x.service"], "host": "unix:///nowhere/docker.sock",
    "endpoint": f"http://{DEAD}", "query": "SELECT 1 AS x", "pattern": "(?P<x>y)", "proxy_url": f"http://{DEAD}", "unix_socket": "/nowhere/s",
    "bucket": "bucket", "period": "1d", "status": ["2xx"], "method": "GET", "mountpoints": ["/"],
    "success": ["0"], "help": "Measured by a query of the operator.", "directory": "/", "proc": "/proc", "pg_restore": "/bin/true", "finished": ["x.service"],
    "prometheus.query": "up", "history.of": "up", "exec.output": "json", "log.files": ["/nowhere/*.log"], "redis.groups": ["server"], "postgres.groups": ["server"], "docker.groups": ["state"],
    "systemd.groups": ["state"], "tls.files": ["/nowhere/x.pem"], "buckets": ["1"], "metrics[].value": "x",
}

# What no single key is required for, and some key is; and what is only of use together.
LEAST = {"disk": ["paths"], "tls": ["address"], "log": ["files"], "systemd": ["units"], "s3": ["region", "access_key_file", "secret_key_file"],
         "heartbeat": ["period"], "http": ["metrics[].value"], "exec": ["metrics[].value"], "prometheus": ["history.of"]}
TOGETHER = {"cert_file": ["key_file"], "key_file": ["cert_file"], "user": ["password_file"], "query": ["metrics"], "metrics": ["query", "output"],
            "services": ["project"], "replicas": ["project"]}


def rows(section):
    """[(path, what it takes, whether it is required)] of a kind."""
    found = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", (ROOT / "docs/checks.md").read_text(), re.M | re.S).group(1)
    table = re.findall(r"^\| `([^`]+)` \| ([^|]*?) \| ([^|]*?) \|", found.split("| metric |")[0], re.M)
    return [(key, takes, "required" in default) for key, takes, default in table]


KINDS = re.findall(r"^## (\w+)$", (ROOT / "docs/checks.md").read_text(), re.M)


def takes_of(takes):
    if takes.startswith("`"):
        return re.search("`([^`]*)`", takes).group(1), "nonsense"
    for word, pair in sorted(TAKES.items(), key=lambda item: -len(item[0])):
        if takes.startswith(word):
            return pair
    raise AssertionError(f"what is {takes!r}?")


def right(kind, path, takes):
    """A value for the key; of what has keys of its own, with those that it must have."""
    name = path.rsplit(".", 1)[-1]
    if takes in ("a mapping", "a list of mappings"):
        below = path + ("[]" if "list" in takes else "") + "."
        inner = {key[len(below):]: right(kind, key, word) for key, word, required in rows(kind)
                 if (required or key in LEAST.get(kind, ())) and key.startswith(below) and "." not in key[len(below):]}
        return [inner] if "list" in takes else inner
    if name == "name":
        return f"runbook_{kind}_x"
    for key in (f"{kind}.{name}", path, name):
        if key in RIGHT:
            return RIGHT[key]
    return takes_of(takes)[0]


def least(kind):
    return {path: right(kind, path, takes) for path, takes, required in rows(kind)
            if (required or path in LEAST.get(kind, ())) and "." not in path}


def put(kind, path, found):
    """The least of the kind with the value at the path, and what that is of no use without."""
    table = {key: takes for key, takes, _ in rows(kind)}
    whole = least(kind)
    node, above = whole, ""
    *way, last = path.split(".")
    for word in way:
        name, is_list = word.removesuffix("[]"), word.endswith("[]")
        node.setdefault(name, right(kind, above + name, table[above + name]))
        node = node[name][0] if is_list else node[name]
        above += word + "."
    node[last] = found
    for other in TOGETHER.get(last, ()):
        if above + other in table:
            node.setdefault(other, right(kind, above + other, table[above + other]))
    return whole


def check_config(program, directory, kind, variants):
    """The complaints of --config.check by the number of the variant: each stands on a line of its own."""
    config = directory / f"{kind}.yml"
    lines = [json.dumps({"name": f"{kind}_{i}", "timeout": "2s", kind: options}) for i, options in enumerate(variants)]
    config.write_text("checks: [\n  " + ",\n  ".join(lines) + "]\n")
    done = subprocess.run([program, "--config.check", f"--config.file={config}"], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    assert done.returncode in (0, 1), done.stdout
    complaints = {}
    for line, words in re.findall(rf"{kind}.yml:(\d+):\d+: (.*)", done.stdout):
        complaints.setdefault(int(line) - 2, []).append(words)
    assert bool(complaints) == (done.returncode == 1), done.stdout
    return complaints


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_of_another_type_is_named_with_its_place(program, tmp_path, kind):
    wrong = [(path, takes_of(takes)[1]) for path, takes, _ in rows(kind) if takes_of(takes)[1] is not None]
    complaints = check_config(program, tmp_path, kind, [put(kind, path, bad) for path, bad in wrong])
    missed = [path for i, (path, _) in enumerate(wrong)
              if not any(re.split(r"[.\[]", path.rsplit(".", 1)[-1])[0] in words for words in complaints.get(i, []))]
    assert not missed


def test_the_exporter_lives_with_all_that_it_takes(program, tmp_path):
    """What is least, and each key beside it; all of these, and each of them left out."""
    checks, alone = [], {}
    for kind in KINDS:
        small = least(kind)
        one = [put(kind, path, right(kind, path, takes)) for path, takes, required in rows(kind)
               if not required and takes_of(takes) != (None, None)]
        bad = check_config(program, tmp_path, kind, [small, *one])
        taken = [options for i, options in enumerate([small, *one]) if i not in bad]
        whole = {}
        for options in taken:
            whole = {**whole, **options}
        less = [{key: whole[key] for key in whole if key != left} for left in whole]
        bad = check_config(program, tmp_path, kind, [whole, *less])
        taken += [options for i, options in enumerate([whole, *less]) if i not in bad]
        alone[kind] = len(taken)
        checks += [{"name": f"{kind}_{i}", "timeout": "2s", kind: options} for i, options in enumerate(taken)]
    assert all(count > 2 for count in alone.values()), alone
    with ExporterWithFlags(program, checks, tmp_path) as daemon:
        found = scrape(daemon, timeout=60)
        missed = [check["name"] for check in checks if value(found, "runbook_check_success", check=check["name"]) is None]
        assert not missed
        assert daemon.page("/")
