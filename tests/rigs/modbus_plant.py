"""Builds and runs the libmodbus plant, `modbus_plant.c`."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).with_suffix(".c")


class BuildError(Exception):
    """The plant cannot be compiled here."""


def compile_plant(folder: Path) -> Path:
    """Compile the plant into a folder and give the program.

    Raises:
        BuildError: Something is missing here; the message says what.
    """
    if shutil.which("gcc") is None or shutil.which("pkg-config") is None:
        raise BuildError("gcc and pkg-config are needed to build the libmodbus plant")
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "libmodbus"],
        capture_output=True,
        text=True,
        check=False,
    )
    if flags.returncode:
        raise BuildError("libmodbus is needed for its plant: apt-get install libmodbus-dev")
    program = folder / "modbus_plant"
    subprocess.run(
        ["gcc", "-O2", "-Wall", "-Wextra", "-o", program, SOURCE, *flags.stdout.split()], check=True
    )
    return program


def build(folder: Path) -> Path:
    """Compile the plant; skip the test where that is not possible here."""
    try:
        return compile_plant(folder)
    except BuildError as error:
        pytest.skip(str(error))


class Plant:
    """A running plant; `stop` ends it and fails if anything but a read arrived.

    Args:
        program: What `build` gave.
        registers: How many of each kind a device has.
        devices: How many devices; each has a port of its own.
        moving: Whether registers start anywhere and change each time they are read.
    """

    def __init__(
        self, program: Path, registers: int = 200, *, devices: int = 1, moving: bool = False
    ) -> None:
        self._process = subprocess.Popen(
            [program, "-d", str(devices), *["-m"] * moving, str(registers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.ports = [int(port) for port in self._process.stdout.readline().split()]
        self.port = self.ports[0]

    def report(self) -> dict[str, Any]:
        """Ask for the counters, and for the arrivals since the last time."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(b"\n")
        stdin.flush()
        return dict(json.loads(stdout.readline()))

    def stop(self) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        code = self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()
        assert code == 0, f"the plant ended with {code}: 9 means that something wrote"
