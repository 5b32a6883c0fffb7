# SPDX-License-Identifier: Apache-2.0
"""What the tests of the exporter share: scraping, reading pages and reading logs."""

import re
import subprocess
import types
import urllib.request

from lab.pages import OPENMETRICS, PAGES, TEXT


def samples(page):
    """{(name, sorted labels): value}; every line must be well-formed."""
    found = {}
    for line in page.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = re.fullmatch(r'([a-z0-9_]+)(?:\{(.*)\})? (\S+)', line).groups()
        pairs = tuple(sorted(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', labels or "")))
        assert (name, pairs) not in found, line
        found[name, pairs] = float(value)
    PAGES.read(page, TEXT)
    return types.SimpleNamespace(all=found, page=page)


def scrape(daemon, query="", timeout=None):
    """One scrape; with a timeout as Prometheus does it: it says it in a header and gives up after it."""
    headers = {"X-Prometheus-Scrape-Timeout-Seconds": str(timeout)} if timeout else {}
    request = urllib.request.Request(f"{daemon.url}/metrics{query}", headers=headers)
    with urllib.request.urlopen(request, timeout=timeout or 15) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return samples(answer.read().decode())


def value(found, name, /, **labels):
    return found.all.get((name, tuple(sorted(labels.items()))))


def promtool(page):
    """What `promtool check metrics` has to say: nothing."""
    done = subprocess.run(["promtool", "check", "metrics"], input=page, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def read_openmetrics(daemon):
    """Its page in the other format."""
    request = urllib.request.Request(f"{daemon.url}/metrics", headers={
        "Accept": OPENMETRICS, "X-Prometheus-Scrape-Timeout-Seconds": "1"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith(OPENMETRICS)
        return PAGES.read(answer.read().decode(), answer.headers["Content-Type"], again=True)


def declared_labels(reference):
    """{kind: (its metrics, their labels)}, of the reference page; of kinds whose labels no operator chooses."""
    kinds = {}
    for section in reference.split("\n## ")[3:]:
        kind = section.split("\n", 1)[0]
        told = re.search(r"^Labels of its own series: (.*)\.$", section, re.M)
        if kind not in ("log", "prometheus"):
            kinds[kind] = (set(re.findall(r"^\| `(runbook_\w+)` \|", section, re.M)),
                           set(re.findall(r"`(\w+)`", told.group(1)) if told else ()))
    return kinds


def undeclared_labels(families, declared):
    """Labels that a kind's table `labels` lacks: a static label of the operator's might hide behind them."""
    infos = {sample.labels["check"]: sample.labels for family in families for sample in family.samples
             if sample.name == "runbook_check_info"}
    found = set()
    for family in families:
        for sample in family.samples:
            info = infos.get(sample.labels.get("check"), {})
            metrics, labels = declared.get(info.get("kind"), ((), ()))
            if sample.name in metrics or family.name in metrics:
                found |= {(info["kind"], label) for label in sample.labels
                          if label not in labels and label not in info and label != "le"}
    return found


def logged(daemon, message):
    return [line for line in daemon.process.output().splitlines() if f'msg="{message}"' in line]
