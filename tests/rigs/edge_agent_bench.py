"""Runs the real command on a bench: `edge_agent_bench.py FOLDER setup` for `edge-agent setup`.

The folder stands for the box: `dev/` holds its serial ports, `boot_id` and `uptime` tell of its
boot, `clock` of its date, and where it has `service`, the agent is started and kept as systemd
would do it, its process noted there. A pseudo-terminal has no parity: what a program sets is noted
in `wires/`, by which the far end judges what it hears.
"""

import json
import os
import signal
import subprocess
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

BENCH = Path(sys.argv[1])
PARITIES = {0: "none", termios.PARENB: "even", termios.PARENB | termios.PARODD: "odd"}
_really_set, _really_get = termios.tcsetattr, termios.tcgetattr


def _note_of(file: int) -> Path:
    return BENCH / "wires" / str(os.fstat(file).st_rdev)


def get_attributes(file: int) -> list[Any]:
    """Give how a line is set, with the parity that was noted."""
    attributes = _really_get(file)
    with suppress(FileNotFoundError):
        wanted = json.loads(_note_of(file).read_text())["parity"]
        attributes[2] |= next(flags for flags, name in PARITIES.items() if name == wanted)
    return attributes


def set_attributes(file: int, when: int, attributes: list[Any]) -> None:
    """Set a line as far as a pseudo-terminal can be set, and note the rest."""
    flags = attributes[2]
    wire = {
        "parity": PARITIES[flags & (termios.PARENB | termios.PARODD)],
        "stop_bits": 2 if flags & termios.CSTOPB else 1,
    }
    note = _note_of(file)
    draft = note.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(wire))
    draft.replace(note)
    plain = flags & ~(termios.CSIZE | termios.PARENB | termios.PARODD) | termios.CS8
    _really_set(file, when, [*attributes[:2], plain, *attributes[3:]])


class KeptService:
    """The agent as a process that goes on when whoever started it ends."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._note = BENCH / "service"

    def runs(self) -> bool:
        process = self._process()
        if process is None:
            return False
        with suppress(ProcessLookupError, ChildProcessError):
            os.waitpid(process, os.WNOHANG)
        return Path(f"/proc/{process}/cmdline").exists() and self._is_agent(process)

    def start(self) -> None:
        self.stop()
        with (BENCH / "service.log").open("ab") as log:
            started = subprocess.Popen(
                [sys.executable, "-P", __file__, str(BENCH), "run", "-c", str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._note.write_text(str(started.pid))

    def stop(self) -> None:
        process = self._process()
        if process is None or not self.runs():
            return
        os.kill(process, signal.SIGTERM)
        end = time.monotonic() + 20
        while self.runs() and time.monotonic() < end:
            time.sleep(0.02)

    def ended(self) -> str:
        return "" if self.runs() else (BENCH / "service.log").read_text()[-600:]

    def settle(self) -> str:
        return ""

    def _process(self) -> int | None:
        text = self._note.read_text()
        return int(text) if text else None

    @staticmethod
    def _is_agent(process: int) -> bool:
        with suppress(OSError):
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
            return state != "Z"
        return False


def lay_out() -> None:
    """Have the program see the bench instead of this machine."""
    termios.tcsetattr, termios.tcgetattr = set_attributes, get_attributes
    from edge_agent import ports

    ports.serial_ports.__defaults__ = (BENCH / "dev",)
    from edge_agent.report import looking

    looking.LONGEST = 6.0  # energies are read every minute, for which no test waits
    if "setup" in sys.argv:
        from edge_agent.setup import powercut, session

        powercut.BOOT_ID, powercut.UPTIME = BENCH / "boot_id", BENCH / "uptime"
        if (BENCH / "service").exists():
            session.service_of = KeptService


def _turn_clock() -> None:
    """Show the date that stands in `clock`, as a box without a battery does after a year."""
    from datetime import datetime, tzinfo

    from edge_agent.doctor import clock

    class Turned(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # no Self
            return datetime.fromisoformat((BENCH / "clock").read_text()).astimezone(tz)

    clock.datetime = Turned


def main() -> None:
    lay_out()
    if (BENCH / "clock").exists():
        _turn_clock()
    sys.argv = ["edge-agent", *sys.argv[2:]]
    from edge_agent.cli import main as command

    sys.exit(command())


if __name__ == "__main__":
    main()
