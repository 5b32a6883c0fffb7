# SPDX-License-Identifier: Apache-2.0
"""What the documents show is what the daemons take: every example of a check and of a remediation, every PromQL, every metric in them."""

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from documents import BLOCK, DOCUMENTS, blocks
from lab.parts import ROOT


def listed(file, prefix=""):
    """What a table of the code has: its X(…)."""
    return re.findall(rf"\bX\({prefix}([a-z0-9_]+)\)", (ROOT / file).read_text(encoding="utf-8"))


KINDS = listed("exporter/kinds/kinds.c")
METRIC = re.compile(r"(?<![\w/.-])runbook_[a-z0-9_]+")
# What only remediations.yml has at its top.
OF_REMEDIATIONS = {"remediations", "receivers", "databases", "escalate_to", "external_url", "exporter_url", "alertmanager_url"}


def is_remediation(shown):
    return isinstance(shown, dict) and "match" in shown and "steps" in shown


# Files of others, and what reads them.
COMPOSE = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
FOREIGN = {"route": ["amtool", "check-config", "FILE"], "scrape_configs": ["promtool", "check", "config", "--syntax-only", "FILE"],
           "groups": ["promtool", "check", "rules", "FILE"], "services": [*COMPOSE, "-f", "FILE", "config", "-q"]}


def as_a_file(shown):
    """Rules alone are a group of them."""
    if isinstance(shown, list) and all({"alert", "record"} & set(one) for one in shown):
        return {"groups": [{"name": "shown", "rules": shown}]}
    return shown


def is_foreign(shown):
    return isinstance(as_a_file(shown), dict) and bool(set(as_a_file(shown)) & {*FOREIGN, "tls_server_config"})


def is_test(shown):
    """Of a file of remediations."""
    return isinstance(shown, dict) and "remediation_file" in shown


def shows_remediations(shown):
    return not is_foreign(shown) and bool(set(shown) & OF_REMEDIATIONS) if isinstance(shown, dict) else all(is_remediation(one) for one in shown)


def examples():
    """(where, the configuration that an example stands for) of each block of YAML that shows checks."""
    for _, where, block in blocks("yaml"):
        shown = yaml.safe_load(block)
        if not shows_remediations(shown) and not is_foreign(shown) and not is_test(shown):
            yield where, configuration(shown)


def remediation_examples():
    """(where, remediations.yml that an example stands for): what it leaves out is filled in."""
    for _, where, block in blocks("yaml"):
        shown = yaml.safe_load(block)
        if shows_remediations(shown):
            given = shown if isinstance(shown, dict) else {"remediations": shown}
            receivers = given.get("receivers", [])
            there = {receiver["name"] for receiver in receivers}
            for one in given.get("remediations", []):
                if not {"match", "steps"} & set(one):  # shown for what stands beside them alone
                    one |= {"match": ['alertname="any"'], "steps": [{"host.memory": {}}]}
            more = [{"name": name, "format": "log"} for name in ("oncall", "security") if name not in there]
            yield where, {
                "docker": {"project": "my-stack"}, "databases": [{"name": "app", "dsn": "host=localhost dbname=app"}],
                "prometheus_url": "http://localhost:9090", "exporter_url": "http://localhost:9877", "escalate_to": "oncall",
                "remediations": [{"name": "any", "match": ['alertname="any"'], "steps": [{"host.memory": {}}]}],
                **given, "receivers": [*receivers, *more]}


def configuration(shown):
    if isinstance(shown, dict) and "checks" in shown:
        return shown
    checks = shown if isinstance(shown, list) else [{"name": "example", **shown}]
    for check in checks:
        if not set(check) & set(KINDS):  # shown for its conditions alone, which are of Redis
            check["redis"] = {"address": "localhost:6379"}
    there = {check["name"] for check in checks}
    needed = {name for check in checks for name in check.get("needs", [])}
    return {"checks": [*checks, *({"name": name, "http": {"url": "http://localhost/"}} for name in sorted(needed - there))]}


def check_configuration(program, directory, shown):
    """What --config.check says, and its exit code."""
    config = directory / "shown.yml"
    # Where an operator's secrets are, there is nothing here.
    secret = directory / "secret"
    secret.write_text("secret\n")
    config.write_text(re.sub(r'"/run/secrets/[^"]+"', json.dumps(str(secret)), json.dumps(shown)))
    said = subprocess.run([program, "--config.check", f"--config.file={config}"], check=False, text=True,
                          env={**os.environ, "CREDENTIALS_DIRECTORY": str(directory)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return said.returncode, said.stdout


def named(one):
    return one if isinstance(one, str) else ""


@pytest.mark.parametrize(("where", "shown"), examples(), ids=named)
def test_an_example_is_taken(program, tmp_path, where, shown):
    status, said = check_configuration(program, tmp_path, shown)
    assert status == 0, f"{where}: {said}"


@pytest.mark.parametrize(("where", "shown"), remediation_examples(), ids=named)
def test_an_example_of_a_remediation_is_taken_without_a_doubt(binaries, tmp_path, where, shown):
    status, said = check_configuration(binaries.responder, tmp_path, shown)
    assert status == 0 and said.endswith("no mistakes\n"), f"{where}: {said}"


def test_an_example_of_a_test_of_remediations_holds(binaries, tmp_path):
    found = [(where, block) for _, where, block in blocks("yaml") if is_test(yaml.safe_load(block))]
    assert found
    (tmp_path / "remediations.yml").write_text((ROOT / "rules/remediations.yml").read_text(encoding="utf-8"))
    for where, block in found:
        (tmp_path / "shown_test.yml").write_text(block)
        said = subprocess.run([binaries.responder, "test", tmp_path / "shown_test.yml"], check=False, text=True, capture_output=True)
        assert said.returncode == 0, f"{where}: {said.stderr}"


def foreign_examples():
    for _, where, block in blocks("yaml"):
        shown = as_a_file(yaml.safe_load(block))
        for key, argv in FOREIGN.items():
            if isinstance(shown, dict) and key in shown:
                # Newer than the Prometheus of Debian 12, and told by its own documents.
                newer = [job.pop("scrape_native_histograms", None) for job in shown.get("scrape_configs", [])]
                yield f"{where}{' without scrape_native_histograms' if any(newer) else ''}", argv, shown


@pytest.mark.parametrize(("where", "argv", "shown"), foreign_examples(), ids=named)
def test_an_example_for_another_program_is_taken_by_it(tmp_path, where, argv, shown):
    file = tmp_path / "shown.yml"
    file.write_text(json.dumps(shown))
    said = subprocess.run([file if word == "FILE" else word for word in argv], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert said.returncode == 0, f"{where}: {said.stdout}"


def shown_in(name):
    return [yaml.safe_load(block) for _, _, block in blocks("yaml", [ROOT / "docs" / name])]


def test_each_kind_of_check_has_an_example():
    shown = {key for example in shown_in("writing-checks.md") for check in example for key in check}
    assert set(KINDS) - shown == set() and len(KINDS) >= 14


def test_each_action_has_an_example():
    examples_of = [one for shown in shown_in("writing-remediations.md")
                   for one in (shown["remediations"] if isinstance(shown, dict) else shown)]
    shown = {key.replace(".", "_") for remediation in examples_of for step in remediation["steps"] for key in step}
    actions = listed("responder/actions/actions.c")
    assert set(actions) - shown == set() and len(actions) >= 10


def metrics_of(text):
    """The metrics that a text names; "last_{ping,start}_seconds" is two."""
    while braces := re.search(r"(runbook_\w+_){(\w+(?:,\w+)+)}(\w+)", text):
        text = text.replace(braces[0], " ".join(braces[1] + word + braces[3] for word in braces[2].split(",")))
    return set(METRIC.findall(text))


def emitted():
    """What the code and the shipped files call metrics."""
    sources = [path for top in ("exporter", "include", "lib", "responder") for path in (ROOT / top).rglob("*.[ch]")]
    names = {name for path in sources for name in re.findall(r'"(runbook_[a-z0-9_]+)', path.read_text(encoding="utf-8"))}
    for path in (ROOT / "rules").glob("*.yml"):
        names |= set(re.findall(r'(?:name|record): *"?(runbook_[a-z0-9_]+)', path.read_text(encoding="utf-8")))
    return names


def credentials():
    """The secrets that the units hand over, and the names of their files."""
    return {name for unit in (ROOT / "docker/systemd").glob("*.service")
            for line in re.findall(r"^LoadCredential=(\S+)$", unit.read_text(encoding="utf-8"), re.MULTILINE) for name in line.split(":")}


def test_every_metric_that_a_document_names_is_emitted():
    there, missing = emitted() | credentials(), []
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        known = there | set(re.findall(r"name: (runbook_[a-z0-9_]+)", text))  # what an example calls its own
        missing += [f"{path.name}: {name}" for name in sorted(metrics_of(text))
                    if name not in known and re.sub("_(bucket|count|sum)$", "", name) not in known]
    assert missing == []


# Where PromQL stands in a block of YAML: in rules of Prometheus, and in a remediation's `verify:`.
QUERIES = ("expr", "query", "if_query")


def queries_of(shown, parent=None):
    if isinstance(shown, dict):
        for key, value in shown.items():
            if key in QUERIES and isinstance(value, str) and parent != "postgres":
                yield value
            else:
                yield from queries_of(value, key)
    elif isinstance(shown, list):
        for value in shown:
            yield from queries_of(value, parent)


def expressions():
    """(where, PromQL) of each block and each `code` of the documents that shows some."""
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            where = f"{path.name}:{text.count(chr(10), 0, block.start()) + 2}"
            if block[1] == "promql":
                yield where, block[2]
            elif block[1] == "yaml":
                yield from ((where, query) for query in queries_of(yaml.safe_load(block[2])))
        prose = BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)
        for code in re.finditer(r"(`+)([^`]+)\1", prose):
            # From the first function, or metric, on: there may be words before it, such as a condition's `warn:`.
            found = re.search(r"(?:\b[a-z_]+(?: (?:by|without) ?\([^)]*\) ?)?\()*(?<![\w/.-])runbook_[a-z0-9]+_.*", code[2], re.S)
            if found and re.search(r"[\w}]\s*[{\[<>=]|\(", found[0]) and "_{" not in found[0]:
                yield f"{path.name}:{text.count(chr(10), 0, code.start()) + 1}", found[0]


def as_promql(shown):
    """A document may name labels without values, and the units of a condition."""
    inside = lambda labels: "{" + ",".join(one if "=" in one else f'{one.strip()}!=""' for one in labels[1].split(",")) + "}"
    return re.sub(r"([<>=] *[\d.]+)(?:%|[a-zA-Z]+)$", r"\1", re.sub(r"{([^}]*)}", inside, shown))


def test_every_promql_that_a_document_shows_would_be_taken():
    found = list(expressions())
    assert len(found) > 10 and any("rate(" in shown for _, shown in found)
    driver = ROOT / os.environ.get("RUNBOOK_BUILD", "build") / "tests/integration/promql_driver"
    said = subprocess.run([driver], check=True, text=True, capture_output=True,
                          input="".join(json.dumps(as_promql(shown)) + "\n" for _, shown in found)).stdout.splitlines()
    assert len(said) == len(found)
    assert [(*one, verdict) for one, verdict in zip(found, said) if "error" in json.loads(verdict)] == []


def test_pictures_that_are_shown_are_there_and_small():
    """`make screenshots` takes them; each is shown somewhere."""
    shown = set()
    for path in DOCUMENTS:
        for picture in re.findall(r"!\[[^\]]+\]\(([^):]+)\)", path.read_text(encoding="utf-8")):
            file = (path.parent / picture).resolve()
            assert file.is_file() and file.stat().st_size <= 60_000, f"{path.name}: {picture}"
            shown.add(file)
    assert shown >= set((ROOT / "docs/pictures").glob("*.png"))


# Of the list of the responder's faults: a letter for each kind, and so many of it; F8, L2 and whatever else is missing was never there.
FAULTS = {"A": 3, "B": 1, "C": 1, "D": 3, "E": 6, "F": 10, "G": 2, "H": 4, "I": 6, "J": 3, "K": 1, "L": 3, "N": 2, "O": 2, "P": 3}
NEVER = {"F8", "L2"}


def test_every_fault_of_the_responder_has_its_row_and_a_test():
    text = (ROOT / "docs/requests.md").read_text(encoding="utf-8")
    section = text.partition("## The responder's faults, one by one")[2].partition("\n## ")[0]
    rows = {row[1]: row[2] for row in re.finditer(r"^\| ([A-Z]\d+) \| .* \| (`tests/.*`) \|$", section, re.M)}
    assert set(rows) == {f"{kind}{number}" for kind, count in FAULTS.items() for number in range(1, count + 1)} - NEVER
    for fault, tests in rows.items():
        for path, name in re.findall(r"`(tests/[^:`]+)::(\w+)`", tests):
            assert name in (ROOT / path).read_text(encoding="utf-8"), (fault, path, name)
