"""Other programs for the same work, each from PyPI in an environment of its own under `build/`.

They get the same registers, interval and QoS, and no logging.
"""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.configuration import Load
from benchmarks.gateway import ROOT, prepared

PEERS = ROOT / "build" / "peers"
BARE = Path(__file__).with_name("bare.py")
PYTHON = "bin/python"


@dataclass(frozen=True)
class Peer:
    """A program to compare with.

    Attributes:
        name: For people.
        wants: What pip installs.
        shared: Whether all devices are units behind one endpoint, as it knows no other way.
    """

    name: str
    wants: Sequence[str]
    shared: bool = False

    @property
    def folder(self) -> Path:
        """Where its environment is."""
        return PEERS / self.wants[0].partition("==")[0]

    @property
    def is_installed(self) -> bool:
        """Tell whether its environment is whole."""
        return (self.folder / "installed").exists()

    def install(self) -> None:
        """Make its environment, unless it is there; that takes a minute or two."""
        prepared(self.folder)
        if self.is_installed:
            return
        pip = (self.folder / PYTHON, "-m", "pip", "install", "--quiet")
        subprocess.run([*pip, "--disable-pip-version-check", *self.wants], check=True)  # noqa: S603 - our own words
        (self.folder / "installed").touch()

    def version(self) -> str:
        """Name it with the versions that are installed."""
        words = (
            "import sys; from importlib.metadata import version\n"
            "print(*(f'{name} {version(name)}' for name in sys.argv[1:]), sep=', ')"
        )
        names = [one.partition("==")[0] for one in self.wants]
        command = [str(self.folder / PYTHON), "-c", words, *names]
        told = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - likewise
        return told.stdout.strip()

    def command(self, folder: Path, load: Load, ports: Sequence[int], broker: int) -> "Start":
        """Write its configuration into a folder, and give how it is started."""
        raise NotImplementedError


@dataclass(frozen=True)
class Start:
    """A command with the variables it needs beside those of this process."""

    words: Sequence[str | Path]
    variables: Mapping[str, str] = field(default_factory=dict)


class Bare(Peer):
    """The floor: pymodbus and paho-mqtt, and nothing else."""

    def command(self, folder: Path, load: Load, ports: Sequence[int], broker: int) -> Start:
        numbers = map(str, (broker, load.registers, load.every, *ports))
        return Start([self.folder / PYTHON, BARE, *numbers])


class Modpoll(Peer):
    """`modpoll`: one endpoint for each process, so all devices are units behind one."""

    def command(self, folder: Path, load: Load, ports: Sequence[int], broker: int) -> Start:
        lines: list[str] = []
        for unit in range(1, load.devices + 1):
            lines += [
                f"device,machine-{unit:03},{unit}",
                f"poll,holding_register,0,{load.registers},BE_BE",
            ]
            lines += [f"ref,value_{at:03},{at},uint16,r" for at in range(load.registers)]
        path = folder / "modpoll.csv"
        path.write_text("\n".join(lines) + "\n")
        mqtt = ["--mqtt-version", "5.0", "--mqtt-host", "127.0.0.1", "--mqtt-port", str(broker)]
        modbus = ["--tcp", "127.0.0.1", "--tcp-port", str(ports[0]), "--rate", f"{load.every:g}"]
        rest = ["--mqtt-qos", "1", "--mqtt-clientid", "modpoll", "--interval", "0", "--daemon"]
        program = self.folder / "bin" / "modpoll"
        return Start([program, "-f", path, *modbus, *mqtt, *rest, "--loglevel", "ERROR"])


FLOOR = Bare("bare pymodbus and paho-mqtt", ("pymodbus==3.16.1", "paho-mqtt==2.2.0"))
MODPOLL = Modpoll("modpoll", ("modpoll==1.6.0",), shared=True)
