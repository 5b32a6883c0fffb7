# SPDX-License-Identifier: Apache-2.0
"""
Two machines in one Prometheus: no shipped or generated expression takes their series for those of one.

    two_instances.py lint BUILD    reads every expression and names what joins or adds across instances
    two_instances.py test          runs the rules' tests with a second machine beside the first
    two_instances.py check BUILD   reads every expression with our parser and asks promtool for its verdict
"""
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

RULES = pathlib.Path(__file__).resolve().parents[1] / "rules"
TESTS = sorted(path for path in RULES.glob("*_test.yml") if path.name != "remediations_test.yml")  # that one is ours

# Alerts that are about something that is one on all machines (a key is one, whichever instances have seen it), with what is
# added up of them, where it stands in the annotations.
ACROSS = {"api_key_compromise": r"(?<=such requests in five minutes: )\d+"}

# What a machine says on which nothing is wrong; all else is 0.
CALM = {"up": 1, "runbook_check_success": 1, "runbook_check_info": 1, "runbook_postgres_max_connections": 100,
        "runbook_responder_target_up": 1}


def load(path):
    """Every scalar as it is written: 0x40 is a series of promtool, and no number."""
    return yaml.load(path.read_text(), Loader=yaml.BaseLoader)


def alerts_of(document):
    return [(rule.get("alert") or rule["record"], rule["expr"]) for group in document["groups"] for rule in group["rules"]]


def shipped_alerts():
    return [one for path in sorted(RULES.glob("*.yml")) if "groups" in (document := load(path)) for one in alerts_of(document)]


def queries():
    """Of checks and verifications, with words for the values that an alert will bring."""
    for path in sorted(RULES.glob("*.yml")):
        document = load(path)
        for check in document.get("checks", []):
            if "prometheus" in check:
                yield f"{path.name}: {check['name']}", check["prometheus"]["query"]
        for remediation in document.get("remediations", []):
            if "query" in remediation.get("verify", {}):
                yield (f"{path.name}: {remediation['name']}",
                       re.sub(r"\$\{[^}]*\}", "x", remediation["verify"]["query"]))


def made(build, path, *words):
    return subprocess.run([f"{build}/runbook_exporter", *words, f"--config.file={path}"], check=True, text=True,
                          capture_output=True).stdout


def generated(build):
    for path in sorted(RULES.glob("checks*.yml")):
        yield from ((f"{path.name}: {name}", expression) for name, expression in
                    alerts_of(yaml.load(made(build, path, "alerts"), Loader=yaml.BaseLoader)))


def panels(build):
    for path in sorted(RULES.glob("checks*.yml")):
        with tempfile.TemporaryDirectory() as directory:
            made(build, path, "dashboards", f"--dir={directory}")
            for dashboard in sorted(pathlib.Path(directory).glob("*.json")):
                for panel in json.loads(dashboard.read_text())["panels"]:
                    for target in panel.get("targets", []):
                        yield f"{path.name}: {dashboard.name}, panel {panel['title']}", target["expr"]


def read(build, expressions, *flags):
    """What lib/promql says of each."""
    said = subprocess.run([f"{build}/tests/integration/promql_driver", *flags], check=True, text=True, capture_output=True,
                          input="".join(json.dumps(one) + "\n" for one in expressions)).stdout.splitlines()
    return [json.loads(line) for line in said]


def lint(build):
    """A query asks for one value: max and min choose one machine's there. An alert must say whose it is, a panel which machine's."""
    mistakes = []
    alerts = [one for one in shipped_alerts() if one[0] not in ACROSS] + list(generated(build))
    for flag, found, left_out in (("--two-instances", alerts, None), ("--two-instances", list(panels(build)), " check"),
                                  ("--two-instances-or-worst", list(queries()), None)):
        for (name, expression), said in zip(found, read(build, [expression for _, expression in found], flag)):
            if "error" in said:
                mistakes.append(f"{name}: {said['error']}: {expression}")
            mistakes += [f"{name} loses{lost}: {expression}" for lost in said.get("mixes", []) if lost != left_out]
    return mistakes


def check(build):
    """Ours and promtool's verdict on everything that is shipped or generated."""
    found = shipped_alerts() + list(generated(build)) + list(panels(build)) + list(queries())
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump({"groups": [{"name": "all", "rules": [{"record": f"r{i}", "expr": expression}
                                                        for i, (_, expression) in enumerate(found)]}]}, file)
        file.flush()
        done = subprocess.run(["promtool", "check", "rules", file.name], check=False, text=True, capture_output=True)
    mistakes = [done.stderr] if done.returncode != 0 else []
    return mistakes + [f"{name}: {said['error']}: {expression}"
                       for (name, expression), said in zip(found, read(build, [one for _, one in found])) if "error" in said]


def with_labels(series, **labels):
    """The series with these labels where it has none of their names; those of the value None are taken away."""
    name, inside = re.fullmatch(r"([^{]*)(?:\{(.*)\})?", series, re.S).groups()
    own = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', inside or ""))
    merged = {**labels, **own}
    return name, merged, name + "{" + ",".join(f'{key}="{value}"' for key, value in merged.items()) + "}"


def beside(test, calm):
    """The test with a second machine, which is calm, or in the same trouble."""
    test = copy.deepcopy(test)
    second = []
    for one in test["input_series"]:
        name, labels, one["series"] = with_labels(one["series"], job="j", instance="first")
        other = {**labels, "instance": labels["instance"] + "-second"}
        values = f"{CALM.get(name, 0)}x400" if calm else one["values"]
        second.append({"series": name + "{" + ",".join(f'{k}="{v}"' for k, v in other.items()) + "}", "values": values})
    test["input_series"] += second
    test["name"] += ", beside a calm machine" if calm else ", on two machines"
    for asked in test.get("alert_rule_test", []):
        expected = []
        for alert in asked.get("exp_alerts") or []:
            if asked["alertname"] in ACROSS:
                told = {key: text if calm else re.sub(ACROSS[asked["alertname"]], lambda one: str(2 * int(one[0])), text)
                        for key, text in alert.get("exp_annotations", {}).items()}
                expected.append({**alert, "exp_annotations": told})
                continue
            labels = {"job": "j", "instance": "first", **alert["exp_labels"]}
            expected.append({**alert, "exp_labels": labels})
            if not calm:
                other = {**labels, "instance": labels["instance"] + "-second"}
                told = {key: text.replace(labels["instance"], other["instance"])
                        for key, text in alert.get("exp_annotations", {}).items()}
                expected.append({**alert, "exp_labels": other, "exp_annotations": told})
        asked["exp_alerts"] = expected
    return test


def doubled(path):
    """The tests of a file, each twice: with the second machine calm, and in trouble."""
    document = load(path)
    document["rule_files"] = [str(RULES / name) for name in document["rule_files"]]
    document["tests"] = [beside(one, calm) for one in document["tests"] for calm in (True, False)]
    for one in document["tests"]:
        for asked in one.get("promql_expr_test", []):
            for sample in asked.get("exp_samples", []):
                sample["value"] = float(sample["value"])
    return document


def test():
    with tempfile.TemporaryDirectory() as directory:
        files = [pathlib.Path(directory) / path.name for path in TESTS]
        for path, file in zip(TESTS, files):
            file.write_text(json.dumps(doubled(path)))
        done = subprocess.run(["promtool", "test", "rules", *files], check=False, text=True, capture_output=True)
    return [] if done.returncode == 0 else [done.stdout + done.stderr]


if __name__ == "__main__":
    mistakes = {"lint": lint, "test": test, "check": check}[sys.argv[1]](*sys.argv[2:])
    print("\n".join(mistakes))
    sys.exit(bool(mistakes))
