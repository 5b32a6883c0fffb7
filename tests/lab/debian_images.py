# SPDX-License-Identifier: Apache-2.0
"""Images of what Compose files name, FROM scratch and of this machine's Debian packages: no registry is asked.

Each has its programs where the official image of that name has them, with the libraries that they load.
"""

import pathlib
import re
import shutil
import subprocess
import tempfile

from .postgres import program

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# What the official image does at its first start, as far as docker/compose.demo.yml asks it to.
POSTGRES = """#!/bin/sh
set -e
data=/var/lib/postgresql/data/cluster
if [ ! -s $data/PG_VERSION ]; then
    initdb -U postgres -A "$POSTGRES_HOST_AUTH_METHOD" -E UTF8 --locale=C --no-sync -D $data
    echo "host all all all $POSTGRES_HOST_AUTH_METHOD" >> $data/pg_hba.conf
    pg_ctl -D $data -w -o "-c listen_addresses= -c shared_preload_libraries=pg_stat_statements" start
    createdb -U postgres "$POSTGRES_DB"
    for file in /docker-entrypoint-initdb.d/*.sql; do psql -U postgres -d "$POSTGRES_DB" -v ON_ERROR_STOP=1 -q -f "$file"; done
    pg_ctl -D $data -w stop
fi
exec "$@" -D $data -c listen_addresses='*'
"""


def _libraries(file):
    """What a program loads, and its loader; nothing for what is no dynamic program."""
    told = subprocess.run(["ldd", file], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return re.findall(r"^\s+(?:\S+ => )?(/\S+) \(0x", told, re.MULTILINE)


def _put(root, source, target):
    """A file, or a tree as it is, at a path of the image; and the libraries that it loads."""
    place = root / target.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    if pathlib.Path(source).is_dir():
        shutil.copytree(source, place, symlinks=False, dirs_exist_ok=True)
    else:
        shutil.copy(source, place)
    for library in _libraries(source):
        there = root / library.lstrip("/")
        if not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, there)


def build(engine, tag, files, user, owned=None, entrypoint=(), path=PATH, texts=None):
    """Builds the image `tag` of {path in it: file or tree of this machine} and {path in it: text}; `owned`: a directory of
    the user's, for a volume."""
    with tempfile.TemporaryDirectory(dir=engine.directory) as name:
        context = pathlib.Path(name)
        root = context / "root"
        for target, source in files.items():
            _put(root, source, target)
        for target, text in {"/etc/passwd": f"runs:x:{user}:{user}::/:/bin/sh\n", **(texts or {})}.items():
            (root / target.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            (root / target.lstrip("/")).write_text(text, encoding="ascii")
            (root / target.lstrip("/")).chmod(0o755)
        (root / "tmp").mkdir(mode=0o1777, exist_ok=True)
        (context / "empty").mkdir()
        words = ", ".join(f'"{word}"' for word in entrypoint)
        (context / "Dockerfile").write_text(
            f"FROM scratch\nCOPY root /\n{f'COPY --chown={user}:{user} empty {owned}' if owned else ''}\nENV PATH={path}\n"
            f"USER {user}\n{f'ENTRYPOINT [{words}]' if words else ''}\n", encoding="ascii")
        engine.docker("build", "-q", "-t", tag, context)
    return tag


def prometheus(engine, tag):
    return build(engine, tag, {f"/bin/{name}": shutil.which(name) for name in ("prometheus", "promtool")}, 65534, "/prometheus",
                 ["/bin/prometheus"])


def alertmanager(engine, tag):
    texts = "/usr/share/prometheus/alertmanager"
    files = {"/bin/alertmanager": shutil.which("prometheus-alertmanager"), "/bin/amtool": shutil.which("amtool"), texts: texts}
    return build(engine, tag, files, 65534, "/alertmanager", ["/bin/alertmanager"])


def haproxy(engine, tag):
    return build(engine, tag, {"/usr/local/sbin/haproxy": shutil.which("haproxy") or "/usr/sbin/haproxy", "/usr/bin/test": "/usr/bin/test"}, 99)


def redis(engine, tag):
    return build(engine, tag, {f"/usr/local/bin/{name}": shutil.which(name) for name in ("redis-server", "redis-cli")}, 999, "/data")


def postgres(engine, tag):
    version = pathlib.Path(program("initdb")).parents[1]
    share = f"/usr/share/postgresql/{version.name}"
    files = {str(version): version, share: share, "/bin/sh": "/bin/sh", "/usr/share/zoneinfo": "/usr/share/zoneinfo",
             **{str(file): file for file in (version / "bin").iterdir()}}
    return build(engine, tag, files, 999, "/var/lib/postgresql/data", ["/entrypoint"], f"{version}/bin:{PATH}", {"/entrypoint": POSTGRES})
