# SPDX-License-Identifier: Apache-2.0
"""Programs of Debian's next release, unpacked from its packages: those that are one file and need nothing of it."""

import pathlib
import subprocess

CODENAME = "trixie"


class NotThere(RuntimeError):
    """Its packages cannot be had: no network, or no apt-get."""


def _run(argv, **how):
    try:
        return subprocess.run([str(word) for word in argv], check=True, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, **how).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise NotThere(f"{error}: {getattr(error, 'stderr', '')}") from error


def archive():
    """From where this machine has its packages."""
    archives = _run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"])
    places = [line.split()[0] for line in archives.splitlines() if "-" not in line.split()[-1]]
    if not places:
        raise NotThere("apt-get does not know where Debian's packages are")
    return places[0]


def unpack(package, directory):
    """The directory that the package was unpacked to, which is kept for the next time. Nothing is installed."""
    directory = pathlib.Path(directory).resolve()
    root = directory / package
    if root.exists():
        return root
    for name in ("lists/partial", "cache/archives/partial", "state"):
        (directory / "apt" / name).mkdir(parents=True, exist_ok=True)
    sources = directory / "apt/sources.list"
    sources.write_text(f"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {archive()} {CODENAME} main\n",
                       encoding="ascii")
    options = [word for name, value in {
        "Dir::Etc::sourcelist": sources, "Dir::Etc::sourceparts": "/dev/null", "Dir::State": directory / "apt/state",
        "Dir::State::lists": directory / "apt/lists", "Dir::Cache": directory / "apt/cache",
        "Dir::State::status": "/dev/null", "Acquire::Languages": "none", "APT::Sandbox::User": "root",
    }.items() for word in ("-o", f"{name}={value}")]
    _run(["apt-get", "-q", *options, "update"])
    _run(["apt-get", "-q", *options, "download", package], cwd=directory)
    file = max(directory.glob(f"{package}_*.deb"))
    _run(["dpkg-deb", "-x", file, directory / f"{package}.part"])
    file.unlink()
    (directory / f"{package}.part").rename(root)
    return root


def compose_v2(directory):
    """The path of docker-compose v2."""
    return unpack("docker-compose", directory) / "usr/libexec/docker/cli-plugins/docker-compose"
