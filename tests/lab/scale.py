# SPDX-License-Identifier: Apache-2.0
"""The lab's copy of rules/: the same rules with the lab's addresses, and with times a hundredth as long, or as long.

The text is changed, not its structure, so that what the lab runs is what is shipped. An address that the lab does
not know stops it: nothing may reach beyond the lab.
"""

import pathlib
import re

from .parts import ROOT

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
FACTOR = 100
# Settings that are waited for. Limits (timeout, within, wait_healthy, expire) stay: they only end what hangs.
WAITED_FOR = ("for", "cache", "cooldown", "older_than", "long_running", "scrape_interval", "evaluation_interval",
              "group_wait", "group_interval", "every")
# A page waits for a lease, which is as long in the lab as anywhere.
PAGE_WAITS = "group_wait: 90s"
# A window has to hold several scrapes of one second.
SHORTEST, SHORTEST_WINDOW = 1, 5
KEEP_FIRING = 6


def scaled(text, shortest=SHORTEST):
    """A duration as the lab has it: "5m" gives "3s"."""
    seconds = sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([smhd])", text))
    return f"{max(shortest, round(seconds / FACTOR))}s"


def scale(text):
    text = re.sub(rf"\b({'|'.join(WAITED_FOR)}): (\d+[smhd])\b",
                  lambda found: found[0] if found[0] == PAGE_WAITS else f"{found[1]}: {scaled(found[2])}", text)
    text = re.sub(r"\[(\d+[smhd])\]", lambda found: f"[{scaled(found[1], SHORTEST_WINDOW)}]", text)
    text = re.sub(r"\boffset (\d+[smhd])\b", lambda found: f"offset {scaled(found[1], SHORTEST_WINDOW)}", text)
    # A verification asks every 5 s unless told otherwise.
    return re.sub(r"^( *)(within: \d+[smhd])$", r"\1\2\n\1every: 1s", text, flags=re.MULTILINE)


def replace(text, addresses):
    for shipped, ours in addresses.items():
        text = text.replace(shipped, str(ours))
    settings = "\n".join(line.partition("  #")[0] for line in text.splitlines() if not line.lstrip().startswith("#"))
    foreign = re.findall(r"\S*(?:localhost|/var/run|/run/secrets|example\.com|amazonaws)\S*", settings)
    if foreign:
        raise ValueError(f"the lab does not know these addresses of rules/: {foreign}")
    return text


def keep_firing(text):
    """An alert fires on for a while: its shortened windows would end it before the remediation it set off has."""
    return re.sub(r"^( +)(for: \d+s)$", rf"\1\2\n\1keep_firing_for: {KEEP_FIRING}s", text, flags=re.MULTILINE)


def rules_text(name, addresses, real_times=False):
    """The lab's copy of one file of rules/; with `real_times` only the addresses are changed."""
    text = replace((ROOT / "rules" / name).read_text(encoding="utf-8"), addresses)
    if real_times:
        return text
    text = scale(text)
    if name == "prometheus.yml":  # objectives are of a month: in a lab of minutes each fault would burn all of it
        text = re.sub(r"^ *- slo\.yml.*\n", "", text, flags=re.MULTILINE)
    return keep_firing(text) if name.startswith("alerts-") else text


def copy_rules(directory, addresses, real_times=False):
    """Writes the lab's copy of rules/*.yml; the AEM servers are another machine."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    for file in sorted((ROOT / "rules").glob("*.yml")):
        if not file.stem.endswith(("_test", "-aem")):
            (directory / file.name).write_text(rules_text(file.name, addresses, real_times), encoding="utf-8")
