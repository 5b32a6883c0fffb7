# SPDX-License-Identifier: Apache-2.0
"""The public headers: each stands alone, all of them stand together, and a name is the name of one thing."""

import os
import re
import subprocess

import pytest

from lab.parts import ROOT

HEADERS = sorted(path.relative_to(ROOT / "include").as_posix() for path in (ROOT / "include" / "runbook").glob("*.h"))


def complaints(*lines):
    """What the compiler says of a file with these lines; "" when it takes them."""
    libpq = subprocess.run(["pkg-config", "--cflags", "libpq"], capture_output=True, text=True, check=True).stdout
    done = subprocess.run(["gcc", *libpq.split(), "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-Iinclude",
                           "-fsyntax-only", "-xc", "-"], input="\n".join(lines) + "\n", cwd=ROOT, text=True,
                          env={**os.environ, "LC_ALL": "C"}, capture_output=True, check=False)
    return done.stderr


def includes(*headers):
    return [f'#include "{header}"' for header in headers]


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_stands_alone(header):
    assert complaints(*includes(header)) == ""


def test_all_headers_stand_together():
    assert complaints(*includes(*HEADERS)) == ""
    assert complaints(*includes(*reversed(HEADERS))) == ""


def test_a_tag_is_not_opaque_here_and_complete_there():
    """Else the one stands for the other wherever both headers are included, without a word of the compiler."""
    complete, opaque = {}, {}
    for header in HEADERS:
        text = (ROOT / "include" / header).read_text()
        complete.update({tag: header for tag in re.findall(r"^(?:struct|union) (\w+) \{", text, re.M)})
        opaque.update({tag: header for tag in re.findall(r"^(?:struct|union) (\w+);", text, re.M)})
    assert not {tag: (complete[tag], opaque[tag]) for tag in complete.keys() & opaque.keys()}


def test_an_exchange_of_the_server_is_no_call_of_the_client():
    both = includes("runbook/http_client.h", "runbook/http_server.h")
    assert complaints(*both, "void take(struct http_exchange *exchange); void take(struct http_exchange *exchange)",
                      '{ http_reply_text(exchange, 200, "fine"); }') == ""
    for wrong in ("exchange->result = 0;", "http_suspend(exchange); (void)exchange->response;",
                  "http_call_release(exchange);", "(void)sizeof(*exchange);"):
        assert re.search("undefined type|incomplete type|incompatible pointer type", complaints(
            *both, "void take(struct http_exchange *exchange);",
            f"void take(struct http_exchange *exchange) {{ {wrong} }}")), wrong
