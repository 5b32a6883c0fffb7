# SPDX-License-Identifier: Apache-2.0
"""A machine that systemd has booted: this machine's files below a layer of its own, its own processes, network and control
groups. Nothing of it stays, and nothing that runs here is seen there."""

import pathlib
import subprocess

from lab.parts import wait_for

# In namespaces of its own, where everything mounted ends with the last process. A new root by pivot_root, as a unit's user
# namespace is refused below a chroot. The layer lies in memory; what the lower one would start is left out.
BOOT = r"""
set -eu
here=$1
mount -t tmpfs tmpfs "$here"
mkdir "$here"/over "$here"/work "$here"/root
root=$here/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$here/over,workdir=$here/work" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
if [ -e "$2" ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
    mkdir "$root/sys/fs/cgroup/systemd" "$root/sys/fs/cgroup/unified"
    mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified"
fi
rm -rf "$root"/etc/systemd/system/*.wants "$root"/etc/systemd/system/*.requires "$root/usr/sbin/policy-rc.d" "$root/etc/credstore" "$root/etc/fstab"
: > "$root/etc/machine-id"
for unit in systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket tmp.mount; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
mkdir "$root/.before"
cd "$root"
mount --make-rprivate /
pivot_root . .before
cd /
umount -l /.before
mount --make-rshared /
exec env -i container=runbook-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=multi-user.target
"""


class BootedMachine:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.log = open(self.directory.with_suffix(".log"), "w+b")
        unified = "/sys/fs/cgroup/cgroup.controllers"
        self.outer = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--uts", "--ipc", "--cgroup", "--net", "--fork", "--kill-child", "--propagation", "private",
             "bash", "-c", BOOT, "boot", self.directory, unified], stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        try:
            self.init = wait_for(self._init, "the machine's first process", timeout=60)
            wait_for(lambda: self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"),
                     "systemd to have booted", timeout=180)
        except BaseException:
            self.stop()
            raise

    def _init(self):
        assert self.outer.poll() is None, self.said()
        children = pathlib.Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children").read_text(encoding="ascii").split()
        name = pathlib.Path(f"/proc/{children[0]}/comm").read_text(encoding="ascii").strip() if children else ""
        return children[0] if name == "systemd" else None

    def said(self):
        self.log.flush()
        return self.directory.with_suffix(".log").read_text(encoding="utf-8", errors="replace")[-3000:]

    @property
    def root(self):
        """Its files, as this machine sees them."""
        return pathlib.Path(f"/proc/{self.init}/root")

    def run(self, *words, **env):
        """Its CompletedProcess, with stdout and stderr in one."""
        return subprocess.run(["nsenter", "-t", self.init, "-m", "-p", "-u", "-i", "-n", "-C", "-r", "-w", *words],
                              env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                                   "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root", **env},
                              check=False, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=180)

    def output(self, *words, **env):
        done = self.run(*words, **env)
        assert done.returncode == 0, f"{words}: {done.stdout}"
        return done.stdout

    def shell(self, line):
        return self.output("bash", "-c", f"cd /root && {line}")

    def shows(self, unit, what):
        return self.output("systemctl", "show", "-P", what, unit).strip()

    def stop(self):
        self.outer.kill()  # and its child with it, and all that runs there
        self.outer.wait()
        self.log.close()
