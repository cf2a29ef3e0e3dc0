"""A Debian of its own that boots with systemd: what an installer finds."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[2]
ROOTS = PROJECT / "build" / "roots"
BOOT_SECONDS = 180.0
# Its names and the authorities it trusts are needed as well.
THIS_MACHINES_NETWORK = ["--resolv-conf=replace-host", "--bind-ro=/etc/ssl/certs"]
# What a gateway's systemd may do and a container's may not: let a service ask whether the clock is
# right, and filter addresses and devices, for which it needs cgroups of version 2 and BPF.
AS_ON_A_GATEWAY = "--system-call-filter=adjtimex clock_adjtime bpf"
WITH_CGROUPS_2 = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
CLEAN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


class Guest:
    """A running guest.

    Attributes:
        root: Its root folder, to put files into and to look at what is there.
    """

    def __init__(self, root: Path, init: int) -> None:
        self.root = root
        self._init = init

    def does(self, *command: str, expect: int = 0, seconds: float = 600) -> str:
        """Run a command in the guest; give what it printed, stdout and stderr together."""
        ran = subprocess.run(
            ["nsenter", f"--target={self._init}", "-m", "-p", "-u", "-i", "-C", "-n", *command],
            env=CLEAN,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
        assert ran.returncode == expect, f"{command} ended with {ran.returncode}:\n{ran.stdout}"
        return ran.stdout

    def shell(self, script: str, expect: int = 0) -> str:
        """Run a line of shell."""
        return self.does("sh", "-c", script, expect=expect)

    def writes(self, path: str, text: str, mode: int = 0o644) -> None:
        """Put a file into the guest."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        file.chmod(mode)

    def property(self, name: str) -> str:
        """Give a property of the service, such as `MainPID`."""
        return self.does("systemctl", "show", "-p", name, "--value", "edge-agent").strip()

    def waits_for(self, script: str, seconds: float = 30) -> float:
        """Run a line of shell until it ends well; give the seconds it took."""
        began = time.monotonic()
        while True:
            with contextlib.suppress(AssertionError):
                self.shell(script)
                return time.monotonic() - began
            assert time.monotonic() - began < seconds, f"{script}: not within {seconds} s"
            time.sleep(0.1)  # there is nothing to wait for in another process tree


def why_not() -> str:
    """Say why a guest cannot be booted here; empty where it can."""
    if os.geteuid() != 0:
        return "booting a guest needs root"
    missing = [one for one in ("systemd-nspawn", "nsenter", "debootstrap") if not shutil.which(one)]
    if missing:
        return f"booting a guest needs {', '.join(missing)}: `make system` installs what is missing"
    return ""


def plain_root(release: str = "bookworm") -> Path:
    """Give the folder of a guest as it comes, made once."""
    root = ROOTS / release
    subprocess.run([PROJECT / "tools" / "guest-root", root, release], check=True)
    return root


@contextlib.contextmanager
def layered(root: Path, folder: Path) -> Iterator[Path]:
    """Give a folder that looks like this root; what is written there lies in `folder` alone."""
    upper, work, seen = (folder / name for name in ("written", "work", "root"))
    for one in (upper, work, seen):
        one.mkdir()
    layers = f"lowerdir={root},upperdir={upper},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, seen], check=True)
    try:
        yield seen
    finally:
        subprocess.run(["umount", "--lazy", seen], check=True)
        shutil.rmtree(upper)


@contextlib.contextmanager
def booted(root: Path, *, has_network: bool = False) -> Iterator[Guest]:
    """Boot what is in this folder, until the end of the block; without a network unless told."""
    nspawn = subprocess.Popen(
        [
            "systemd-nspawn",
            f"--directory={root}",
            "--boot",
            "--register=no",
            "--keep-unit",
            "--console=pipe",
            "--link-journal=no",
            AS_ON_A_GATEWAY,
            *(THIS_MACHINES_NETWORK if has_network else ["--private-network"]),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | WITH_CGROUPS_2,
        start_new_session=True,
    )
    try:
        yield _when_booted(root, nspawn)
    finally:
        nspawn.send_signal(signal.SIGTERM)
        try:
            nspawn.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(nspawn.pid, signal.SIGKILL)
            nspawn.communicate()


def _when_booted(root: Path, nspawn: "subprocess.Popen[bytes]") -> Guest:
    deadline = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < deadline and nspawn.poll() is None:
        children = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children").read_text().split()
        for child in children:
            guest = Guest(root, int(child))
            with contextlib.suppress(AssertionError):
                if guest.shell("systemctl is-system-running || true").strip() in STARTED:
                    return guest
        time.sleep(0.1)
    raise AssertionError(f"the guest in {root} did not boot within {BOOT_SECONDS} s")


STARTED = {"running", "degraded"}
