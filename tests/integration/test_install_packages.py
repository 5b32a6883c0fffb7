# SPDX-License-Identifier: Apache-2.0
"""`make deps`, which `make run`, `make demo` and `make test` begin with, harms no machine: with the real apt and dpkg in a
chroot, and stand-ins for the packages, among them some that conflict as those of docker.com do."""

import os
import pty
import re
import shutil
import signal
import subprocess

import pytest

from harness.bare_machine import ENVIRONMENT, BareMachine
from lab.parts import ROOT, wait_for

LISTED = re.findall(r"^[a-z]+ +(\S+)", (ROOT / "packages.txt").read_text(encoding="utf-8"), re.MULTILINE)
SCRIPT = "/src/tests/install_packages"
POLICY = "usr/sbin/policy-rc.d"
ASIDE = "usr/sbin/policy-rc.d.kept-by-runbook"
# As debhelper writes it for a service.
POSTINST = """
    deb-systemd-helper enable NAME.service
    update-rc.d NAME defaults
    invoke-rc.d NAME start
    """
SERVICE = {"/lib/systemd/system/NAME.service": "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
           "/etc/init.d/NAME": "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: NAME\n# Required-Start:\n# Required-Stop:\n"
                               "# Default-Start: 2 3 4 5\n# Default-Stop: 0 1 6\n### END INIT INFO\necho $1 >> /NAME-was-called\n"}


def service(machine, name, before="", **more):
    """A package of a service that starts when it is installed."""
    files = {path.replace("NAME", name): content.replace("NAME", name) for path, content in SERVICE.items()}
    built = machine.build(name, files=files, postinst=before + "chmod 755 /etc/init.d/NAME\n".replace("NAME", name) +
                          POSTINST.replace("NAME", name), **more)
    return built


def enabled(machine):
    """What would run from the next start on: by systemd, or by System V's links."""
    links = [*machine.root.glob("etc/systemd/system/*.wants/*"), *machine.root.glob("etc/rc[2345].d/S*")]
    return sorted(str(link.relative_to(machine.root)) for link in links)


@pytest.fixture(scope="module")
def base(workspace):
    """With the script, and a stand-in for each package that packages.txt names; PostgreSQL's and two others serve."""
    machine = BareMachine(workspace.path("bare")).make()
    (machine.root / "src/tests").mkdir(parents=True)
    shutil.copy(ROOT / "packages.txt", machine.root / "src")
    shutil.copy(ROOT / "tests/install_packages", machine.root / "src/tests")
    for name in sorted({one.rstrip("?") for word in LISTED for one in word.split("|")}):
        if name == "docker.io":
            machine.build(name, "Depends: containerd (>= 1), runc (>= 1)\n")
        elif name == "libcurl4-openssl-dev":
            machine.build(name, "Conflicts: libcurl4-gnutls-dev\n")
        elif name in ("redis-server", "prometheus"):
            service(machine, name)
        elif name == "postgresql":
            machine.build(name, postinst="""
                grep -qs '^create_main_cluster = false' /etc/postgresql-common/createcluster.d/*.conf || touch /cluster
                """)
        elif name != "docker-compose-v2":
            machine.build(name)
    for name in ("containerd", "runc"):
        machine.build(name)
    machine.output("apt-get", "-qq", "update")
    return machine


@pytest.fixture
def machine(base, workspace, tmp_path):
    """One of its own for the test, removed afterwards."""
    copy = base.copy(workspace.directory / f"bare-{tmp_path.name}")
    yield copy
    copy.remove()


def install(machine, *groups, user="0", **env):
    return machine.run(SCRIPT, *groups, user=user, **{"CI": "true", **env})


def docker_of_docker_com(machine):
    """Installed, with what its packages conflict with (of their control files); its Engine and client are commands."""
    compose = '#!/bin/sh\n[ "$1" = compose ] && [ "$2" = version ]\n'
    built = [machine.build("containerd.io", "Conflicts: containerd, runc\nReplaces: containerd, runc\nProvides: runc\n"),
             machine.build("docker-ce", "Depends: containerd.io\nConflicts: docker.io\nReplaces: docker.io\n",
                           {"/usr/bin/dockerd": "#!/bin/sh\n"}),
             machine.build("docker-ce-cli", "Conflicts: docker.io\n", {"/usr/bin/docker": compose}),
             machine.build("docker-compose-plugin", "Conflicts: docker-compose\n")]
    machine.output("dpkg", "-i", *built)


def test_n01_an_engine_of_docker_com_stays_and_is_used(machine):
    docker_of_docker_com(machine)
    before = machine.packages()
    simulated = machine.run("apt-get", "-s", "-y", "install", "docker.io", "docker-compose", "containerd", "runc").stdout
    assert "REMOVED: containerd.io docker-ce docker-ce-cli docker-compose-plugin" in " ".join(simulated.split())
    done = install(machine, "build", "run", "test")
    assert done.returncode == 0, done.stdout
    assert before < machine.packages()
    assert machine.has("docker-ce") and not machine.has("docker.io") and not machine.has("docker-compose")
    assert machine.has("redis-server") and machine.has("gcc")
    assert not (machine.root / POLICY).exists() and enabled(machine) == enabled_of_base(machine)
    again = install(machine, "build")
    assert (again.returncode, again.stdout) == (0, "")


def enabled_of_base(machine):
    return [link for link in enabled(machine) if "redis" not in link and "prometheus" not in link]


@pytest.mark.parametrize("mine, theirs, complaint", [
    ("libcurl4-gnutls-dev", "libcurl4-openssl-dev",
     "The following packages will be REMOVED:\n  libcurl4-gnutls-dev\n[^$]*E: Packages need to be removed but remove is disabled."),
    ("containerd.io", "containerd, runc", "containerd.io : Conflicts: containerd")])
def test_n01_what_would_remove_is_refused_and_told_whole(machine, mine, theirs, complaint):
    """A libcurl without its pkg-config file, and only a containerd of docker.com: what is needed conflicts with them."""
    machine.output("dpkg", "-i", machine.build(mine, f"Conflicts: {theirs}\nReplaces: {theirs}\n"))
    before = machine.packages()
    done = install(machine, "build", "run", "test")
    assert done.returncode == 1
    assert re.search(complaint, done.stdout) and "Nothing was installed" in done.stdout
    assert machine.packages() == before
    assert not (machine.root / POLICY).exists() and not (machine.root / ASIDE).exists()


@pytest.mark.parametrize("tool", [False, True])
def test_n01_another_libcurl_is_enough(machine, tool):
    """With pkg-config on the machine, and without."""
    pc = "/usr/lib/x86_64-linux-gnu/pkgconfig/libcurl.pc"
    machine.output("dpkg", "-i", machine.build("libcurl4-gnutls-dev", "Conflicts: libcurl4-openssl-dev\n", {pc: "Name: x\n"}))
    if tool:
        machine.write("/usr/bin/pkg-config", f'#!/bin/sh\n[ "$*" = "--exists libcurl" ] && [ -e {pc} ]\n', 0o755)
    done = install(machine, "build", "run")
    assert done.returncode == 0, done.stdout
    assert machine.has("libcurl4-gnutls-dev") and not machine.has("libcurl4-openssl-dev") and machine.has("libpq-dev")


def test_n01_a_program_from_elsewhere_is_enough(machine):
    for name in ("prometheus", "promtool", "redis-server"):
        machine.write(f"/usr/local/bin/{name}", "#!/bin/sh\n", 0o755)
    machine.write("/usr/lib/postgresql/99/bin/initdb", "#!/bin/sh\n", 0o755)
    assert install(machine, "test").returncode == 0
    assert not [name for name in ("prometheus", "redis-server", "postgresql") if machine.has(name)]
    assert machine.has("prometheus-alertmanager")


def test_n05_no_service_is_left_started_or_enabled(machine):
    """One that was installed before stays as it was."""
    machine.output("apt-get", "-y", "install", "prometheus")
    assert (machine.root / "prometheus-was-called").read_text(encoding="ascii") == "start\n"  # so apt would have it
    before = enabled(machine)
    assert any("prometheus" in link for link in before)
    done = install(machine, "test")
    assert done.returncode == 0, done.stdout
    assert machine.has("redis-server") and machine.has("postgresql")
    assert not (machine.root / "redis-server-was-called").exists() and not (machine.root / "cluster").exists()
    assert enabled(machine) == before
    assert not (machine.root / POLICY).exists() and not (machine.root / "etc/postgresql-common").exists()


@pytest.mark.parametrize("link", [False, True])
def test_n05_a_policy_that_was_there_is_put_back_exactly(machine, link):
    if link:
        machine.write("/etc/alternatives/policy", "#!/bin/sh\nexit 0\n", 0o755)
        (machine.root / POLICY).symlink_to("/etc/alternatives/policy")
    else:
        machine.write(POLICY, "#!/bin/sh\nexit 0\n", 0o750)
    before = (machine.root / POLICY).lstat()
    assert install(machine, "test").returncode == 0
    after = (machine.root / POLICY).lstat()
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (before.st_ino, before.st_mode, before.st_mtime_ns)
    assert not (machine.root / "redis-server-was-called").exists() and not (machine.root / ASIDE).exists()


def test_n05_a_failure_midway_leaves_no_service(machine):
    service(machine, "curl", version=2, fields="Depends: redis-server\n", before="echo no luck >&2; exit 7\n")
    machine.output("apt-get", "-qq", "update")
    before = enabled(machine)
    done = install(machine, "test")
    assert done.returncode == 1 and "no luck" in done.stdout and "Sub-process /usr/bin/dpkg returned an error" in done.stdout
    assert machine.has("redis-server") and enabled(machine) == before
    assert not (machine.root / POLICY).exists() and not (machine.root / ASIDE).exists()


def waits_midway(machine):
    """Starts the script; one of its packages is half installed, until somebody writes into /go-on."""
    os.mkfifo(machine.root / "go-on")
    service(machine, "curl", version=2, fields="Depends: redis-server\n", before="touch /is-there; read x < /go-on\n")
    machine.output("apt-get", "-qq", "update")
    running = subprocess.Popen(machine.argv("setpriv", "--pdeathsig", "SIGKILL", SCRIPT, "test"), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                               env={**ENVIRONMENT, "CI": "true"})
    wait_for((machine.root / "is-there").exists, "the package to be half installed")
    return running


def test_n05_two_at_a_time_take_turns(machine):
    """The second does not put back what the first still needs, and does not fail for its sake."""
    with waits_midway(machine) as first, \
            subprocess.Popen(machine.argv(SCRIPT, "build"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, env={**ENVIRONMENT, "CI": "true"}) as second:
        assert "Not on this machine yet" in second.stdout.readline()
        assert machine.run("/" + POLICY, "x", "start").returncode == 101
        (machine.root / "go-on").write_text("\n", encoding="ascii")
        assert (first.wait(60), second.wait(60)) == (0, 0), second.stdout.read()
    assert machine.has("curl") and machine.has("libpq-dev") and not (machine.root / "redis-server-was-called").exists()
    assert not (machine.root / POLICY).exists() and not (machine.root / ASIDE).exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_n05_an_end_midway_leaves_no_policy(machine, number):
    """Ctrl-C reaches the whole group. What SIGKILL leaves behind says again what was there before, and the next run clears it."""
    machine.write(POLICY, "#!/bin/sh\nexit 42\n", 0o755)
    before = enabled(machine)
    with waits_midway(machine) as running:
        assert machine.run("/" + POLICY, "x", "start").returncode == 101
        os.killpg(running.pid, number)
        running.wait(30)
    if number == signal.SIGKILL:
        assert machine.run("/" + POLICY, "x", "start").returncode == 42
        machine.run("dpkg", "--remove", "--force-remove-reinstreq", "curl")
        assert install(machine, "build").returncode == 0
    else:
        assert enabled(machine) == before
    assert machine.run("/" + POLICY, "x", "start").returncode == 42 and not (machine.root / ASIDE).exists()
    assert (machine.root / POLICY).read_text(encoding="ascii") == "#!/bin/sh\nexit 42\n"


@pytest.mark.parametrize("answer", ["y", "n"])
def test_n01_what_will_be_installed_is_said_and_asked_on_a_terminal(machine, answer):
    before = machine.packages()
    parent, child = pty.openpty()
    with subprocess.Popen(machine.argv(SCRIPT, "run", "build"), stdin=child, stdout=child, stderr=child,
                          env=ENVIRONMENT) as running:
        os.close(child)
        said = b""
        while b"[Y/n]" not in said:
            said += os.read(parent, 4096)
        assert "libsystemd-dev" in said.decode() and "ca-certificates" in said.decode()
        assert machine.packages() == before
        os.write(parent, f"{answer}\n".encode())
        status = running.wait(60)
    os.close(parent)
    assert status == (0 if answer == "y" else 1)
    assert machine.has("libpq-dev") == (answer == "y")


def test_n39_without_root_and_sudo_it_tells_the_command(machine):
    done = install(machine, "build", "run", user="65534")
    assert done.returncode == 1
    command = re.search(r"As root:\n +(apt-get install --no-remove .*)\n", done.stdout)[1]
    assert "libpq-dev" in command and not machine.has("libpq-dev")
    machine.output("sh", "-c", f"{command} -y")
    again = install(machine, "build", "run", user="65534")
    assert (again.returncode, again.stdout) == (0, "")


def test_with_sudo_the_half_that_needs_root_is_run_by_it(machine):
    machine.write("/usr/local/bin/sudo", '#!/bin/sh\necho "$*"\n', 0o755)
    done = install(machine, "run", user="65534")
    assert done.returncode == 0
    assert done.stdout.endswith(f"env CI=true {SCRIPT} --install ca-certificates tzdata\n")


def test_n17_without_apt_it_says_what_is_needed(machine):
    (machine.root / "usr/bin/apt-get").unlink()
    done = install(machine, "build", "run")
    assert done.returncode == 1
    assert "There is no apt-get here" in done.stdout and "libmicrohttpd-dev" in done.stdout
