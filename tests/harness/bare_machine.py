# SPDX-License-Identifier: Apache-2.0
"""A small machine in a chroot, with the real apt and dpkg: this machine's own essential packages, copied with their
records, and packages of the test's own making to install. No network."""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import textwrap

BASE = ("apt", "dpkg", "bash", "coreutils", "dash", "debianutils", "diffutils", "findutils", "grep", "gzip", "hostname",
        "init-system-helpers", "libc-bin", "mawk", "perl-base", "sed", "systemd", "tar", "util-linux", "base-files")
NOT_NEEDED = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/", "/usr/share/i18n/", "/usr/lib/udev/")
DIRECTORIES = ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/alternatives", "proc", "dev", "tmp", "run", "repository",
               "usr/bin", "usr/sbin", "usr/share/doc", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers",
               "var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/log/apt")
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
# A mount namespace of its own, so that nothing stays mounted however it ends.
ENTER = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"'


def _records():
    """Of every installed package of this machine: its paragraph in dpkg's status."""
    found = {}
    for paragraph in pathlib.Path("/var/lib/dpkg/status").read_text(encoding="utf-8").split("\n\n"):
        fields = dict(re.findall(r"^([A-Z][A-Za-z-]*): (.*)$", paragraph, re.MULTILINE))
        if fields.get("Status", "").endswith(" ok installed"):
            found.setdefault(fields["Package"], (fields, paragraph))
    return found


def _with_dependencies(names):
    records, wanted, todo = _records(), {}, list(names)
    provided = {word.split()[0]: name for name, (fields, _) in records.items()
                for word in fields.get("Provides", "").split(",") if word.strip()}
    while todo:
        name = todo.pop()
        if name in wanted or name not in records:
            continue
        fields, wanted[name] = records[name]
        for group in f"{fields.get('Pre-Depends', '')},{fields.get('Depends', '')}".split(","):
            names = [one.split()[0].split(":")[0] for one in group.split("|") if one.strip()]
            todo += [one if one in records else provided[one] for one in names if one in records or one in provided][:1]
    return wanted


class BareMachine:
    def __init__(self, directory):
        self.root = pathlib.Path(directory)

    def make(self):
        """From the files and records of BASE and all that it depends on."""
        packages = _with_dependencies(BASE)
        for name in DIRECTORIES:
            (self.root / name).mkdir(parents=True, exist_ok=True)
        for link in pathlib.Path("/").iterdir():
            if link.is_symlink() and os.readlink(link).startswith("usr/"):
                (self.root / os.readlink(link)).mkdir(parents=True, exist_ok=True)
                (self.root / link.name).symlink_to(os.readlink(link))
        files = subprocess.run(["dpkg-query", "-L", *packages], check=True, text=True, stdout=subprocess.PIPE).stdout
        kept = sorted({file for file in files.splitlines()
                       if file.startswith("/") and not file.startswith(NOT_NEEDED) and os.path.lexists(file)})
        tar = subprocess.Popen(["tar", "-c", "-C", "/", "--no-recursion", "-T", "-"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        out = subprocess.Popen(["tar", "-x", "-C", self.root, "--keep-directory-symlink"], stdin=tar.stdout)
        tar.stdin.write("\n".join(f".{file}" for file in kept).encode())
        tar.stdin.close()
        assert (tar.wait(), out.wait()) == (0, 0)
        info = pathlib.Path("/var/lib/dpkg/info")
        for name in packages:
            for file in [*info.glob(f"{name}.*"), *info.glob(f"{name}:*.*")]:
                shutil.copy(file, self.root / "var/lib/dpkg/info")
        (self.root / "var/lib/dpkg/status").write_text("\n\n".join(packages.values()) + "\n\n", encoding="utf-8")
        for name in ("passwd", "group", "shadow", "ld.so.conf"):
            shutil.copy(f"/etc/{name}", self.root / "etc")
        shutil.copytree("/etc/ld.so.conf.d", self.root / "etc/ld.so.conf.d", dirs_exist_ok=True)
        for name, target in (("usr/bin/awk", "mawk"), ("usr/sbin/init", "/bin/true")):
            (self.root / name).unlink(missing_ok=True)
            (self.root / name).symlink_to(target)
        self.write("/usr/sbin/runlevel", "#!/bin/sh\necho N 2\n", 0o755)  # an init has booted it, so services are started
        (self.root / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/repository ./\n", encoding="ascii")
        self.write("/etc/dpkg/dpkg.cfg.d/quick", "force-unsafe-io\n")
        subprocess.run(["ldconfig", "-r", self.root], check=True)
        return self

    def copy(self, directory):
        """Another that begins as this one is; remove() ends it. A layer over this one where the file system has such."""
        directory = pathlib.Path(directory)
        places = [directory / name for name in ("over", "work", "root")]
        for place in places:
            place.mkdir(parents=True)
        options = f"lowerdir={self.root},upperdir={places[0]},workdir={places[1]}"
        if subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, places[2]], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            subprocess.run(["cp", "-a", f"{self.root}/.", places[2]], check=True)
        return BareMachine(places[2])

    def remove(self):
        subprocess.run(["umount", self.root], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.root.parent)

    def argv(self, *words, user="0"):
        account = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user != "0" else []
        return ["unshare", "--mount", "--propagation", "private", "bash", "-c", ENTER, self.root, *account, *words]

    def run(self, *words, user="0", **env):
        """In the chroot; its CompletedProcess, with stdout and stderr in one."""
        return subprocess.run(self.argv(*words, user=user), env={**ENVIRONMENT, **env}, check=False, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)

    def output(self, *words):
        done = self.run(*words)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def write(self, path, content, mode=0o644):
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(content), encoding="utf-8")
        file.chmod(mode)
        return file

    def build(self, name, fields="", files=None, postinst="", version=1):
        """A package of `fields` (lines of a control file) in the repository; its path in the chroot."""
        work = self.root / "tmp" / f"package-{name}"
        control = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: a test\nDescription: stand-in\n{fields}"
        inside = BareMachine(work)
        inside.write("DEBIAN/control", control.rstrip("\n") + "\n")
        for path, content in (files or {}).items():
            inside.write(path, content, 0o755 if "bin/" in path else 0o644)
        if postinst:
            inside.write("DEBIAN/postinst", "#!/bin/sh\nset -e\n" + textwrap.dedent(postinst), 0o755)
        path = f"repository/{name}_{version}.deb"
        subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "--build", work, self.root / path], check=True,
                       stdout=subprocess.DEVNULL)
        shutil.rmtree(work)
        data = (self.root / path).read_bytes()
        with open(self.root / "repository/Packages", "a", encoding="utf-8") as index:
            index.write(f"{control.rstrip()}\nFilename: ./{name}_{version}.deb\nSize: {len(data)}\n"
                        f"SHA256: {hashlib.sha256(data).hexdigest()}\n\n")
        return "/" + path

    def has(self, name):
        return self.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}", name).stdout.startswith("ii")

    def packages(self):
        """{name version} of what is installed."""
        return set(self.output("dpkg-query", "-W", "-f", "${Package} ${Version}\n").splitlines())
