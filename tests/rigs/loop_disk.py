"""Real file systems of a few megabytes: an image with ext4 on a loop device, or a tmpfs."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path


@cache
def why_not(*, fuse: bool = False) -> str:
    """Say in one sentence why such disks cannot be made here; empty if they can."""
    if os.geteuid() != 0:
        return "mounting needs root: run the tests as root, in a machine that may be broken"
    for program in ("mkfs.ext4", "losetup", "mount"):
        if not shutil.which(program):
            return f"{program} is missing: install e2fsprogs and mount"
    if not Path("/dev/loop-control").exists():
        return "there are no loop devices here: load the module `loop`"
    if fuse and not Path("/dev/fuse").exists():
        return "there is no /dev/fuse here: load the module `fuse`"
    return _why_no_loop()


def _why_no_loop() -> str:
    """Try it: containers often have the programs but not the rights."""
    found = subprocess.run(["losetup", "--find"], capture_output=True, text=True, check=False)
    if found.returncode:
        return f"no loop device can be had here: {found.stderr.strip()}"
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    return "nothing may be mounted here" if tried.returncode else ""


def do(*command: str | Path) -> str:
    """Run a command; give what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout.strip()


def make_image(path: Path, megabytes: int) -> None:
    """Make an image with an empty ext4, all of it for everybody."""
    with path.open("wb") as file:
        file.truncate(megabytes << 20)
    do("mkfs.ext4", "-q", "-F", "-m", "0", path)


@contextlib.contextmanager
def mounted(image: Path, folder: Path) -> Iterator[Path]:
    """Mount an image that is already there; give the folder."""
    folder.mkdir(exist_ok=True)
    device = do("losetup", "--find", "--show", image)
    try:
        do("mount", "-o", "noatime", device, folder)
        try:
            yield folder
        finally:
            _unmount(folder)
    finally:
        do("losetup", "--detach", device)


def _unmount(folder: Path) -> None:
    """Unmount, once nobody has anything open there: indexers and backups look into everything."""
    for _ in range(50):
        if not subprocess.run(["umount", folder], capture_output=True, check=False).returncode:
            return
        time.sleep(0.1)
    do("umount", folder)


@contextlib.contextmanager
def small_disk(home: Path, megabytes: int) -> Iterator[Path]:
    """An ext4 of its own below this folder."""
    image = home / "disk.img"
    make_image(image, megabytes)
    with mounted(image, home / "disk") as folder:
        yield folder


def fill(folder: Path) -> Path:
    """Take every byte that is left, as a foreign program would; unlink what is given to free it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 512, 1):  # what is left becomes smaller and smaller
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass
    return filler


def remount(folder: Path, options: str) -> None:
    """Change how a folder is mounted: `ro`, `rw`."""
    do("mount", "-o", f"remount,{options}", folder)


def mount_anew(folder: Path) -> None:
    """Repair a file system that gave up, and mount it again, as a restart of the machine does."""
    device = do("findmnt", "--noheadings", "--output", "SOURCE", folder)
    _unmount(folder)
    subprocess.run(["e2fsck", "-p", device], capture_output=True, check=False)
    do("mount", "-o", "noatime", device, folder)
