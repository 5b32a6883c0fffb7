# SPDX-License-Identifier: Apache-2.0
"""What the documents say can be followed: links lead somewhere, messages are those of the programs, sentences end."""

import os
import re

from documents import DOCUMENTS, anchors, links, sentences, words
from lab.parts import ROOT

MOST_WORDS = 45


def test_every_link_leads_somewhere():
    """To a file that is there, and to a heading of it."""
    lost = []
    for path in DOCUMENTS:
        for link, line in links(path.read_text(encoding="utf-8")):
            if re.match(r"[a-z]+:", link):
                continue
            file, _, anchor = link.partition("#")
            target = (path.parent / file).resolve() if file else path
            if not target.exists() or anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
                lost.append(f"{path.name}:{line}: {link}")
    assert lost == []


def test_every_document_is_found_from_the_first_page():
    """By links, from README on."""
    seen, ahead = set(), [DOCUMENTS[0]]
    while ahead:
        path = ahead.pop()
        if path not in seen and path.suffix == ".md":
            seen.add(path)
            found = (link.partition("#")[0] for link, _ in links(path.read_text(encoding="utf-8")) if ":" not in link)
            ahead += [(path.parent / file).resolve() for file in found if file]
    # What other exporters' users ask for is read by who builds this.
    assert {path.name for path in DOCUMENTS} - {path.name for path in seen} <= {"requests.md"}


def test_no_sentence_is_longer_than_a_breath():
    long = [f"{path.name}:{line}: {words(sentence)} words: {sentence}" for path in DOCUMENTS
            for line, sentence in sentences(path.read_text(encoding="utf-8")) if words(sentence) > MOST_WORDS]
    assert long == []


# Strings of C, one behind the other.
ADJACENT = re.compile(r'"((?:[^"\\\n]|\\.)*)"(?:\s|/\*.*?\*/|PRI\w+)*')
STRINGS = re.compile(rf"(?:{ADJACENT.pattern})+", re.DOTALL)
DIRECTIVE = re.compile(r"%[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|z|j)?[a-zA-Z]")


def said():
    """What the sources can say: strings that stand together are one, and what is filled in is \\0."""
    told = []
    for top in ("exporter", "lib", "responder"):
        for path in sorted((ROOT / top).rglob("*.[ch]")):
            for found in STRINGS.finditer(path.read_text(encoding="utf-8")):
                pieces = [re.sub(r"(?<!%)%$", "%s", piece[1]) for piece in ADJACENT.finditer(found[0])]  # "%" PRIu64
                told.append(DIRECTIVE.sub("\0", "".join(pieces).replace('\\"', '"').replace("\\\\", "\\")))
    told += [(ROOT / path).read_text(encoding="utf-8") for path in ("Makefile", "tests/install_packages")]
    return [one for one in told if len(one) > 3]


def is_said(message, told):
    """By one string, in which the parts of the message stand one behind the other; `…` is anything, as what is filled in."""
    parts = [re.escape(part) for part in re.split(r"\s*…\s*", message) if part]
    pattern = re.compile(r"[\s\S]*?".join(parts))
    return any(pattern.search(one) for one in told)


def test_each_message_of_the_troubleshooting_is_one_of_the_programs():
    text = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    told = said()
    errors = [os.strerror(number) for number in range(1, 134)]
    rows = [(line, re.split(r"(?<!\\)\|", row)[1]) for line, row in enumerate(text.splitlines(), 1)
            if row.startswith("| ") and " | " in row and not row.startswith(("| it says", "| you see"))]
    messages = [(line, message) for line, cell in rows for message in re.findall(r"`([^`]+)`", cell)]
    assert len(messages) > 60
    assert [f"{line}: {message}" for line, message in messages if not is_said(message, told) and message not in errors] == []
    assert not is_said("it is paused, and nobody knows why", told) and is_said("it is paused, and whoever … needs it so", told)
