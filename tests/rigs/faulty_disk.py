"""A disk that fails on demand below a real process: `faultio.c` in LD_PRELOAD."""

import errno
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("faultio.c")
WHY_NOT = "" if shutil.which("gcc") else "gcc is missing: install it to make the disk fail"

SYNC_FAILS = f"sync fail {errno.EIO}"
WRITE_FAILS = f"write fail {errno.EIO}"
READ_FAILS = f"read fail {errno.EIO}"
DISK_FULL = f"write fail {errno.ENOSPC}"
WRITES_HALF = f"write short {errno.ENOSPC}"


def bad_sector(path: Path, first: int, last: int) -> str:
    """Reads that begin between these bytes of the file fail, whatever its name becomes."""
    return f"read fail {errno.EIO} {first} {last} {path.stat().st_ino}"


def slow_sync(milliseconds: int) -> str:
    return f"sync delay {milliseconds}"


class FaultyDisk:
    """Decides how the disk below one folder behaves.

    Args:
        home: Where the library and the rules are put.
        folder: Whose files are touched.

    Attributes:
        environment: What a process needs to be affected.
    """

    def __init__(self, home: Path, folder: Path) -> None:
        library, self._rules = home / "faultio.so", home / "rules"
        flags = ("-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror")
        subprocess.run(["gcc", *flags, "-o", library, SOURCE, "-ldl"], check=True)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAULTIO_FOLDER": str(folder),
            "FAULTIO_RULES": str(self._rules),
        }

    def behave(self, *rules: str) -> None:
        """Follow these rules from now on; without any, be a good disk."""
        fresh = self._rules.with_suffix(".new")
        fresh.write_text("".join(f"{rule}\n" for rule in rules))
        fresh.replace(self._rules)
