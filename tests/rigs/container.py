"""The container image as a gateway runs it: read-only, without capabilities, as a plain user."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[2]
USER = "10001"
# podman wants cgroups of version 2 alone, which not every machine has, and none is needed here: it
# gets a mount namespace in which there are no others.
ALONE = "umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; exec podman"
STORE = ["--root", "build/images", "--runroot", "build/images-run", "--storage-driver", "overlay"]
QUIET = ["--cgroup-manager", "cgroupfs", "--events-backend", "file"]
HARDENED = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
# For a machine without systemd: no timer for the health check, no limits beyond its own.
HERE = ["--no-healthcheck", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]


def why_not() -> str:
    """Say why no container can be run here; empty where it can."""
    if os.geteuid() != 0:
        return "running a container needs root"
    missing = [one for one in ("podman", "crun", "nsenter", "unshare") if not shutil.which(one)]
    return f"apt-get install {' '.join(missing)}" if missing else ""


def image() -> str:
    """Build the image from the tree as it is; give its name."""
    subprocess.run(
        ["tools/image", sys.executable], cwd=PROJECT, check=True, stderr=subprocess.DEVNULL
    )
    program = "import edge_agent; print(edge_agent.__version__)"
    version = subprocess.check_output([sys.executable, "-c", program], cwd=PROJECT, text=True)
    return f"localhost/edge-agent:{version.strip()}"


class Container:
    """A running container.

    Attributes:
        pid: Its first process, as this machine sees it.
        process: What ends when the container does, with its exit code.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", pid: int) -> None:
        self.process = process
        self.pid = pid

    def does(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in it, as its user."""
        inside = [
            "nsenter",
            f"--target={self.pid}",
            "-m",
            "-p",
            "-u",
            "-i",
            "--setuid",
            USER,
            "--setgid",
            USER,
        ]
        return subprocess.run(
            [*inside, *command], capture_output=True, text=True, timeout=30, check=False
        )

    def is_read_only(self) -> bool:
        """Tell whether its root folder is mounted read-only. Source: proc(5), mountinfo."""
        mounts = Path(f"/proc/{self.pid}/mountinfo").read_text().splitlines()
        [options] = [mount.split()[5] for mount in mounts if mount.split()[4] == "/"]
        return "ro" in options.split(",")

    def status(self, key: str) -> str:
        """Give a line of the first process's /proc/PID/status."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith(key + ":"))


@contextlib.contextmanager
def contained(image: str, config: Path, data: Path, log: Path) -> Iterator[Container]:
    """Run the image with this configuration and folder for data, on this machine's network."""
    pid_file = log.with_suffix(".pid")
    volumes = [
        "-v",
        f"{config}:/etc/edge-agent/config.yaml:ro",
        "-v",
        f"{data}:/var/lib/edge-agent",
    ]
    words = ["run", "--rm", "--cgroups", "disabled", "--network", "host", f"--pidfile={pid_file}"]
    with log.open("wb") as said:
        process = subprocess.Popen(
            _podman(*words, *HERE, *HARDENED, *volumes, image),
            cwd=PROJECT,
            stdout=said,
            stderr=said,
        )
    try:
        yield Container(process, _pid(process, pid_file, log))
    finally:
        if process.poll() is None:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                os.kill(int(pid_file.read_text()), 9)
        process.wait(60)


def inspected(image: str) -> dict:
    """Give what the image says about itself."""
    said = subprocess.check_output(_podman("image", "inspect", image), cwd=PROJECT, text=True)
    return json.loads(said)[0]


def _podman(*words: str) -> list[str]:
    alone = [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        ALONE + ' "$@"',
        "podman",
    ]
    return [*alone, *STORE, *QUIET, *words]


def _pid(process: "subprocess.Popen[bytes]", file: Path, log: Path) -> int:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int(file.read_text())
        time.sleep(0.05)  # podman tells it by a file only
    raise AssertionError(f"the container did not start: {log.read_text()}")
