# SPDX-License-Identifier: Apache-2.0
"""Our reading of PromQL beside Prometheus' own: on what somebody wrote down, and on what nobody thought of."""
import json
import os
import random
import re
import subprocess

from lab.parts import ROOT

BUILD = ROOT / os.environ.get("RUNBOOK_BUILD", "build")
DATA = ROOT / "tests/data/promql"


def written(name):
    """One expression a line; ⏎ is a line break in it."""
    return [line.replace("⏎", "\n") for line in (DATA / name).read_text().splitlines()]


def ours(expressions, *flags):
    said = subprocess.run([BUILD / "tests/integration/promql_driver", *flags], check=True, text=True, capture_output=True,
                          input="".join(json.dumps(one) + "\n" for one in expressions)).stdout.splitlines()
    assert len(said) == len(expressions)
    return [json.loads(line) for line in said]


def theirs(expressions, directory):
    """What promtool says against each, or None: as rules of one file."""
    path = directory / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "g", "rules": [
        {"record": f"r{i}", "expr": one or " "} for i, one in enumerate(expressions)]}]}))
    done = subprocess.run(["promtool", "check", "rules", path], text=True, capture_output=True)
    refused = {}
    for line in (done.stdout + done.stderr).splitlines():
        found = re.search(r'rule (\d+), "r\d+": (.*)', line)
        if found:
            refused[int(found[1]) - 1] = found[2]
    assert refused or done.returncode == 0, done.stderr
    return [refused.get(i) for i in range(len(expressions))]


def differences(expressions, directory):
    found = []
    for one, mine, other in zip(expressions, ours(expressions), theirs(expressions, directory)):
        if ("error" in mine) != (other is not None):
            found.append(f"{one!r}: ours {mine}, promtool {other}")
    return found


def test_what_prometheus_takes_is_taken(tmp_path):
    expressions = written("valid")
    assert [d for d in theirs(expressions, tmp_path) if d] == []
    assert [(one, said) for one, said in zip(expressions, ours(expressions)) if "error" in said] == []


def test_what_prometheus_refuses_is_refused(tmp_path):
    expressions = written("broken")
    assert [one for one, said in zip(expressions, theirs(expressions, tmp_path)) if said is None] == []
    assert [(one, said) for one, said in zip(expressions, ours(expressions)) if "error" not in said] == []


def test_what_newer_servers_take_is_taken_though_an_older_one_refuses_it(tmp_path):
    """Debian's is 2.42. When it knows one of these, the line belongs to `valid`."""
    expressions = written("newer")
    assert [one for one, said in zip(expressions, theirs(expressions, tmp_path)) if said is None] == []
    assert [(one, said) for one, said in zip(expressions, ours(expressions)) if "error" in said] == []


def test_what_is_known_to_differ_differs(tmp_path):
    """Oddities of the server's and limits of ours: what is in the file and agrees has no reason to be there."""
    expressions = written("differs")
    assert len(differences(expressions, tmp_path)) == len(expressions)


class Grammar:
    """Valid expressions of a wanted type, from a seed."""

    def __init__(self, random):
        self.random = random
        self.functions = json.loads((DATA / "functions.json").read_text())

    def one(self, *words):
        return self.random.choice(words)

    def maybe(self, text):
        return text if self.random.random() < 0.3 else ""

    def blank(self):
        return self.one(" ", " ", " ", "\n", "  ", " # why\n")

    def duration(self):
        return self.one("5m", "30s", "1h30m", "1d", "2w", "1y", "500ms", "1h5m30s250ms")

    def labels(self):
        names = self.random.sample(["job", "instance", "check", "le", "by", "on", "sum", "offset", "bool"], self.random.randrange(4))
        return "(" + ", ".join(names) + ("," if names and self.random.random() < 0.1 else "") + ")"

    def matchers(self):
        found = [self.one("job", "instance", "a", "_x9", "by") + self.blank() + self.one("=", "!=", "=~", "!~") +
                 self.one('"x"', "'y'", '"a|b"', '".+"', '"[a-c]{2}"', "`z`", '"\\\\d+"', '""', '"é"')
                 for _ in range(self.random.randrange(3))]
        return "{" + ",".join(found) + self.maybe("," if found else "") + "}"

    def modifiers(self):
        found = [self.maybe(" offset " + self.maybe("-") + self.duration()),
                 self.maybe(" @ " + self.one("1609746000", "-1.5", "start()", "end()"))]
        self.random.shuffle(found)
        return "".join(found)

    def metric(self):
        return self.one("up", "a:b", "x_total", "sum", "by", "Offset", "and", "start", ":x")

    def selector(self):
        named = self.metric() + self.one("", self.matchers())
        return self.one(named, named, '{__name__="up"}', "{job=~'.+',a!='b'}")

    def range(self, depth):
        if self.random.random() < 0.7:
            return self.selector() + f"[{self.duration()}]" + self.modifiers()
        return f"({self.vector(depth - 1)})[{self.duration()}:{self.maybe(self.duration())}]" + self.modifiers()

    def scalar(self, depth):
        simple = self.one("1", "0.5", "1e3", "0x1f", "Inf", "NaN", "time()", "pi()", "017")
        if depth <= 0:
            return simple
        return self.one(simple, f"scalar({self.vector(depth - 1)})", f"-{self.scalar(depth - 1)}", f"({self.scalar(depth - 1)})",
                        f"{self.scalar(depth - 1)} {self.one('+', '*', '^', '%', 'atan2', '== bool', '< bool')} {self.scalar(depth - 1)}")

    def argument(self, letter, depth):
        return {"v": self.vector, "m": self.range, "s": self.scalar}[letter](depth) if letter != "t" else self.one('"a"', "'b'", "`c`")

    def call(self, depth):
        name, takes, least, most = self.one(*self.functions)
        count = self.random.randint(least, most)
        letters = (takes + takes[-1:] * count)[:count]
        return name + "(" + ", ".join(self.argument(letter, depth - 1) for letter in letters) + ")"

    def aggregation(self, depth):
        name, takes = self.one(("sum", "v"), ("AVG", "v"), ("count", "v"), ("topk", "sv"), ("quantile", "sv"), ("count_values", "tv"))
        body = "(" + ",".join(self.argument(letter, depth - 1) for letter in takes) + ")"
        by = self.one("by", "without", "BY") + self.blank() + self.labels()
        return self.one(f"{name}{body}", f"{name} {by} {body}", f"{name}{body} {by}")

    def binary(self, depth):
        left, right = self.vector(depth - 1), self.vector(depth - 1)
        if self.random.random() < 0.3:
            return f"{left} {self.one('+', '/', '^', '>', '== bool')} {self.scalar(depth - 1)}"
        match = self.maybe(self.one("on", "ignoring") + self.blank() + self.labels())
        if self.random.random() < 0.3:
            return f"{left} {self.one('and', 'or', 'unless', 'AND')} {match} {right}"
        if match and self.random.random() < 0.4:
            match += " " + self.one("group_left", "group_right") + self.maybe(" (k, v)")
        # A '(' behind group_left would be its labels.
        right = f"+{right}" if match.endswith(("group_left", "group_right")) else right
        return f"{left} {self.one('+', '-', '*', '/', '%', '^', 'atan2', '==', '!=', '>', '<= bool')} {match} {right}"

    def vector(self, depth):
        if depth <= 0:
            return self.selector() + self.modifiers()
        make = self.one(self.call, self.call, self.aggregation, self.binary, lambda d: f"({self.vector(d - 1)})",
                        lambda d: f"-{self.vector(d - 1)}", lambda d: self.selector() + self.modifiers())
        return make(depth)


def test_what_a_grammar_makes_is_taken_by_both(tmp_path):
    grammar = Grammar(random.Random(42))
    expressions = [grammar.vector(4) for _ in range(3000)]
    assert differences(expressions, tmp_path) == []
    assert sum("error" not in said for said in ours(expressions)) > 2400


# What promtool 2.42 says where newer servers, and we, go on.
NEWER = re.compile(r"duration|unexpected number .* in (offset|subquery)|unexpected string .* in (label matching|grouping)|"
                   r"in offset, expected|bad number|in subquery or range|fill|(start|end|step|range)\b|unexpected \"\(\"")


def test_what_chance_breaks_is_broken_for_both(tmp_path):
    """A piece left out, doubled, or put elsewhere."""
    chance = random.Random(7)
    pieces = re.compile(r"""\s+|"[^"\n]*"|'[^'\n]*'|\w+|[=!<>]=|[=!]~|.""")
    expressions = []
    for one in written("valid") * 12:
        found = pieces.findall(one)
        at = chance.randrange(len(found))
        other = chance.randrange(len(found))
        how = chance.randrange(3)
        if how == 0:
            del found[at]
        elif how == 1:
            found.insert(other, found[at])
        else:
            found[at], found[other] = found[other], found[at]
        expressions.append("".join(found))
    found = [one for one in differences(expressions, tmp_path) if not ("gives" in one and NEWER.search(one))]
    assert found == []


def config_check(program, path, text):
    path.write_text(text)
    done = subprocess.run([program, "--config.check", f"--config.file={path}"], check=False, text=True, capture_output=True)
    return done.returncode, done.stdout + done.stderr


CHECKS = """checks:
  - name: a
    prometheus:
      url: http://127.0.0.1:1
      query: QUERY
"""
REMEDIATIONS = """prometheus_url: http://127.0.0.1:1
receivers:
  - {name: oncall, format: log}
escalate_to: oncall
remediations:
  - name: a
    match: ['alertname="a"']
    steps: [{host.memory: {}}]
    verify:
      query: QUERY
"""


def test_n09_broken_promql_is_refused_with_its_line_and_column_when_the_file_is_read(binaries, tmp_path):
    for query, column, says in (("sum(up", 3, "this '(' is never closed"), ("ratee(up[5m])", 0, 'did you mean "rate"?')):
        code, said = config_check(binaries.exporter, tmp_path / "checks.yml", CHECKS.replace("QUERY", query))
        assert code == 1 and f"checks.yml:5:{14 + column}: " in said and says in said
    for query, column, says in (("sum(up) < 2)", 11, "this ')' closes nothing"),
                                ('ratee(up{service="${labels.service}"}[5m]) < 2', 0, 'did you mean "rate"?')):
        code, said = config_check(binaries.responder, tmp_path / "remediations.yml", REMEDIATIONS.replace("QUERY", query))
        assert code == 1 and f"remediations.yml:10:{14 + column}: " in said and says in said
    code, said = config_check(binaries.responder, tmp_path / "remediations.yml",
                              REMEDIATIONS.replace("QUERY", 'sum(up{service=~"a|${labels.service}"}) < 2'))
    assert code == 0, said
