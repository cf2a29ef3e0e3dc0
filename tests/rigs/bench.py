"""A bench with a fresh box on it: two meters on an RS-485 line, a broker, and a terminal.

The line is a pseudo-terminal that honours speed and parity: a device hears only what is sent as it
is set up itself. Everything else is real: the program, the terminal, the broker.
"""

import json
import os
import struct
import subprocess
import sys
import termios
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edge_agent import control
from tests.rigs import writes
from tests.rigs.modbus_device import Device, crc, with_crc
from tests.rigs.serial_line import SerialLine

COMMAND = Path(__file__).with_name("edge_agent_bench.py")
ADAPTER = "serial/by-id/usb-FTDI_FT232R_USB_UART_AB0KNUJC-if00-port0"
NOBODY = 65534
THINKING = 0.005  # seconds a device takes before it answers

Pieces = Sequence[tuple[float, bytes]]
Wiring = Callable[[bytes, bytes | None], Pieces]


def straight(request: bytes, answer: bytes | None) -> Pieces:
    """Wires as they should be."""
    return [] if answer is None else [(THINKING, answer)]


METER = {
    0: 231.4, 2: 229.9, 4: 230.7, 6: 12.08, 8: 11.5, 10: 12.6, 12: 2760.0, 14: 2610.0,
    16: 2542.0, 52: 7912.0, 56: 8100.0, 60: 1730.0, 62: 0.977, 70: 50.02, 72: 18442.6,
    74: 3.2, 342: 18445.8,
}  # fmt: skip


class Sdm630(Device):
    """A three-phase meter: floats in input registers. Source: Eastron SDM630 Modbus map."""

    def __init__(self) -> None:
        super().__init__(size=400)

    def register(self, function: int, offset: int) -> int:
        if function == 3:
            return 0
        whole = struct.unpack(">HH", struct.pack(">f", METER.get(offset & ~1, 0.0)))
        return whole[offset % 2]


class XyMd02(Device):
    """A sensor for temperature and humidity: two input registers, and nothing else."""

    def __init__(self) -> None:
        nothing = frozenset(range(400)) - {1, 2}
        super().__init__(size=400, holes=nothing, values={1: 234, 2: 481})


class Line:
    """An RS-485 line with devices that are all set up alike.

    Attributes:
        wiring: What becomes of answers on their way.
        functions: Codes of everything that was asked, in words any device understood or not.
        speaks: Speed and parity of the devices.
        deaf: Whether the devices take no notice of the parity of what they hear.
    """

    def __init__(self, bench: Path, baud: int = 9600, parity: str = "even") -> None:
        path = bench / "dev" / ADAPTER
        path.parent.mkdir(parents=True)
        self._wires = bench / "wires"
        self._wires.mkdir()
        self.speaks = (baud, parity)
        self.devices: dict[int, Device] = {1: Sdm630(), 2: XyMd02()}
        self.wiring: Wiring = straight
        self.functions: set[int] = set()
        self.deaf = False
        self.line = SerialLine(path, self._script, baud)
        self.line.plug()

    @property
    def port(self) -> str:
        return str(self.line.path)

    def heard_at(self) -> tuple[int, str]:
        """Give speed and parity at which the other end sends."""
        note = self._wires / str(self.line.path.stat().st_rdev)
        parity = json.loads(note.read_text())["parity"] if note.exists() else "none"
        return _speed(termios.tcgetattr(self.line._far)[4]), parity

    def _script(self, request: bytes) -> Pieces:
        whole = len(request) > 3 and crc(request[:-2]) == request[-2:]
        if whole:
            writes.check(request[1:-2], "a device on a bench")
            self.functions.add(request[1])
        baud, parity = self.heard_at()
        if not whole or baud != self.speaks[0] or not (self.deaf or parity == self.speaks[1]):
            return self.wiring(request, None)  # noise to every device
        device = self.devices.get(request[0])
        answer = with_crc(request[:1] + device.answer(request[1:-2])) if device else None
        return self.wiring(request, answer)


def _speed(code: int) -> int:
    return next(int(name[1:]) for name in _SPEEDS if getattr(termios, name) == code)


_SPEEDS = [name for name in dir(termios) if name[0] == "B" and name[1:].isdigit()]


class Bench:
    """A box with its line.

    Attributes:
        config: Its configuration, which is not there at first.
    """

    def __init__(self, folder: Path, *, has_service: bool = True) -> None:
        self.folder = folder
        self.config = folder / "etc" / "config.yaml"
        self._before: list[str] = []
        self._started: list[subprocess.Popen[bytes]] = []
        self.line = Line(folder)
        self.boot()
        if has_service:
            (folder / "service").touch()

    def boot(self, seconds_ago: float = 4000.0) -> None:
        """Note a new boot."""
        (self.folder / "boot_id").write_text(f"{uuid.uuid4()}\n")
        (self.folder / "uptime").write_text(f"{seconds_ago:.2f} 1.0\n")

    def as_nobody(self) -> None:
        """Let whoever sits at the terminal be no administrator, who may write only here."""
        if os.geteuid() != 0:
            return
        for one in (self.folder, *self.folder.rglob("*")):
            if not one.is_symlink():
                os.chown(one, NOBODY, NOBODY)
        self._before = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]

    def command(self, *words: str) -> list[str]:
        """Give the words that run the program on this bench."""
        return [*self._before, sys.executable, "-P", str(COMMAND), str(self.folder), *words]

    def run(self, *words: str, seconds: float = 90) -> subprocess.CompletedProcess[str]:
        """Run a command on this bench to its end."""
        return subprocess.run(
            self.command(*words, "-c", str(self.config)),
            capture_output=True, text=True, timeout=seconds, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def status(self) -> dict[str, Any]:
        """Ask the running agent how it stands."""
        return control.ask(self.config.parent / "buffer" / control.SOCKET)

    def runs(self) -> bool:
        """Tell whether the agent polls."""
        try:
            return bool(self.status()["agent"]["state"] == "polling")
        except (OSError, ValueError):
            return False

    @property
    def agent(self) -> int | None:
        """The process of the agent; None if none was started."""
        note = self.folder / "service"
        return int(note.read_text() or 0) or None if note.exists() else None

    def switch_off(self) -> None:
        """Pull the plug on the agent."""
        if self.agent:
            _end(self.agent)
            (self.folder / "service").write_text("")

    def switch_on(self) -> None:
        """Give power again: another boot, at which the service is started."""
        self.boot(seconds_ago=12.0)
        with (self.folder / "service.log").open("ab") as log:
            started = subprocess.Popen(
                self.command("run", "-c", str(self.config)), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._started.append(started)
        (self.folder / "service").write_text(str(started.pid))

    def close(self) -> None:
        self.switch_off()
        for one in self._started:
            one.wait(10)
        self.line.line.unplug()


def _end(process: int) -> None:
    try:
        os.kill(process, 9)
    except ProcessLookupError:
        return
    while Path(f"/proc/{process}/stat").exists():
        if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.01)
