# SPDX-License-Identifier: Apache-2.0
"""What is in the documents: their blocks, their prose, their links."""

import re

from lab.parts import ROOT

DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def blocks(language, documents=DOCUMENTS):
    """(document, where, what stands in it) of each block of a language; its indentation taken away."""
    for path in documents:
        text = path.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            if block[1] == language:
                lines = block[2].splitlines()
                indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
                yield path, f"{path.name}:{line_of(text, block.start()) + 1}", "".join(line[indent:] + "\n" for line in lines)


def commands():
    """(document, where, command) of each line of each block; what goes on behind a pipe or a backslash is one."""
    for path, where, block in blocks("sh"):
        lines = re.sub(r"\\\n\s*| *\|\n\s*", lambda broken: " | " if "|" in broken[0] else " ", block).splitlines()
        for line in lines:
            command = re.sub(r"(?:^|\s+)#\s.*$", "", line).strip()
            # "approve | deny NUMBER": each of them.
            several = re.fullmatch(r"(runbook_\w+) ([\w-]+(?: \| [\w-]+)+) (.*)", command)
            for word in several[2].split(" | ") if several else ():
                yield path.name, where, f"{several[1]} {word} {several[3]}"
            if command and not several:
                yield path.name, where, command


def prose(text):
    """Without blocks, neither fenced nor indented ones; each line where it was."""
    text = BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)
    return re.sub(r"(?<=\n)\n((?: {4}.*\n|\n)+)(?=\S)", lambda block: "\n" * block[0].count("\n"), text)


def anchors(text):
    """Where a link may lead, as GitHub has it."""
    found = {}
    for heading in re.findall(r"^#+ +(.+?) *$", BLOCK.sub("", text), re.MULTILINE):
        name = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "").lower()
        name = re.sub(r"[^\w\- ]", "", name).replace(" ", "-")
        found[name] = found.get(name, -1) + 1
    return {name if at == 0 else f"{name}-{at}" for name, most in found.items() for at in range(most + 1)}


def links(text):
    """(where it leads, line) of each link and picture."""
    text = BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)
    return [(link[1], line_of(text, link.start())) for link in re.finditer(r"\]\(([^()\s]+)\)", text)]


def sentences(text):
    """(line, sentence) of the prose: a paragraph, an item of a list and a cell of a table end one, too."""
    begun, part = 0, []

    def told():
        whole = " ".join(part)
        for sentence in re.split(r"(?<=[.!?])[*)\"]*\s+(?=[A-Z`*\[\"(])", whole):
            yield begun, sentence

    for at, line in enumerate([*prose(text).splitlines(), ""], 1):
        stripped = line.strip()
        begins = re.match(r"(?:[-*]|\d+\.) ", stripped)
        if part and (not stripped or stripped[0] in "|#" or begins):
            yield from told()
            part = []
        if stripped.startswith("|"):
            for cell in re.split(r"(?<!\\)\|", stripped.strip("|")):
                begun, part = at, [cell.strip()]
                yield from told()
            part = []
        elif stripped and not stripped.startswith("#"):
            if not part:
                begun = at
            part.append(stripped)


def words(sentence):
    """How many: a piece of code, and a link, are what is read of them."""
    sentence = re.sub(r"`[^`]*`", "code", re.sub(r"\]\([^)]*\)", "]", sentence))
    return len([word for word in sentence.split() if re.search(r"\w", word)])
