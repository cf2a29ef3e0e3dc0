"""A serial port of this machine: opened by pyserial, its file descriptor in the event loop."""

import asyncio
import contextlib
import errno
import os
import termios
from collections import Counter

import serial

from edge_agent.driver import ConnectionLost
from edge_agent.language import _
from edge_agent_serial.config import SerialSettings
from edge_agent_serial.link import RETRY_SECONDS, Link, Receiver
from edge_agent_serial.marks import Marks

READ_SIZE = 4096

_PARITY = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


class PortLink(Link):
    """A serial port, for this process alone.

    Pulling the adapter shows as EIO, ENXIO, an empty read or `termios.error`, which is no
    `OSError`; all of them are a lost link.
    """

    def __init__(
        self, port: serial.Serial, receiver: Receiver, evidence: "Counter[str]", misread: str
    ) -> None:
        self._port = port
        self._receiver = receiver
        self._evidence = evidence
        self._misread = misread
        self._marks = Marks()
        self._loop = asyncio.get_running_loop()
        self._rest = 0.0
        self._resting: asyncio.TimerHandle | None = None
        self._listen()

    def _listen(self) -> None:
        self._resting = None
        self._loop.add_reader(self._port.fileno(), self._wake)

    def _wake(self) -> None:
        """Take what is there, and leave lying what comes while we rest."""
        if self._rest and self._port.is_open:
            self._loop.remove_reader(self._port.fileno())
            self._resting = self._loop.call_later(self._rest, self._listen)
        self._take()

    def pace(self, rest: float) -> None:
        self._rest = rest
        if not rest and self._resting is not None:
            self._resting.cancel()
            self._listen()

    def drain(self) -> None:
        if self._resting is not None:
            self._take()

    def _take(self) -> None:
        try:
            data = os.read(self._port.fileno(), READ_SIZE)
        except BlockingIOError:
            return
        except (OSError, termios.error) as error:
            self._stop(str(error))
            return
        if not data:
            self._stop(_("the adapter is gone"))
            return
        for piece in self._marks.take(data):
            if piece is None:
                self._evidence[self._misread] += 1
                self._receiver.spoil()
            else:
                self._receiver.receive(piece)

    def _stop(self, reason: str) -> None:
        self._leave()
        self._receiver.lose(
            _("the port {name} is lost ({reason}): is it still plugged in?").format(
                name=self._port.name, reason=reason
            )
        )

    def send(self, data: bytes) -> None:
        try:
            sent = os.write(self._port.fileno(), data)
        except (OSError, termios.error) as error:
            raise ConnectionLost(
                _("the port {name} takes no request: {error}").format(
                    name=self._port.name, error=error
                )
            ) from error
        if sent < len(data):
            raise ConnectionLost(
                _("the port {name} took {sent} of {data} bytes: is the line blocked?").format(
                    name=self._port.name, sent=sent, data=len(data)
                )
            )

    def set_baud(self, baud: int) -> None:
        try:
            self._port.baudrate = baud
            prepare(self._port.fileno())  # pyserial sets everything anew with each change
        except (OSError, termios.error, ValueError) as error:
            raise ConnectionLost(
                _("the port {name} does not take {baud} baud: {error}").format(
                    name=self._port.name, baud=baud, error=error
                )
            ) from error

    def _leave(self) -> None:
        """Listen no more."""
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        self._rest = 0.0
        self._loop.remove_reader(self._port.fileno())

    async def close(self) -> None:
        if self._port.is_open:
            self._leave()
            with contextlib.suppress(OSError, termios.error):  # it may be unplugged
                self._port.close()


def open_port(settings: SerialSettings, receiver: Receiver, evidence: "Counter[str]") -> PortLink:
    """Open the port as the settings say.

    Raises:
        ConnectionLost: It cannot be opened; the message says what to do.
    """
    port = None
    try:
        port = serial.Serial(
            port=str(settings.port),
            baudrate=settings.baud,
            bytesize=settings.data_bits,
            parity=_PARITY[settings.parity],
            stopbits=settings.stop_bits,
            xonxoff=settings.xonxoff,
            timeout=0,
            exclusive=True,
        )
        prepare(port.fileno())
    except (OSError, termios.error, ValueError) as error:
        if port is not None:
            port.close()
        raise ConnectionLost(_failure(settings, error), retry_after=RETRY_SECONDS) from error
    misread = "framing" if settings.parity == "none" else "parity"
    return PortLink(port, receiver, evidence, misread)


def prepare(file: int) -> None:
    """Set what pyserial does not: reads without data "would block", misread characters are marked.

    With pyserial's setting such reads are empty, which is what an unplugged adapter gives, and a
    character with a wrong parity passes for a right one.
    """
    attributes = termios.tcgetattr(file)
    attributes[0] |= termios.INPCK | termios.PARMRK  # 0 are the input modes
    attributes[0] &= ~(termios.IGNPAR | termios.BRKINT)  # a break is a character, not a signal
    attributes[6][termios.VMIN] = 1  # 6 is where the control characters stand
    termios.tcsetattr(file, termios.TCSANOW, attributes)


def _failure(settings: SerialSettings, error: Exception) -> str:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else None
    advice = {
        errno.ENOENT: _(
            "there is no such port: is the adapter plugged in? see ls /dev/serial/by-id"
        ),
        errno.EACCES: _("no permission: add the agent's user to the group that owns it (dialout)"),
        errno.EAGAIN: _("another program uses it: stop that program, or a second agent"),
        errno.EBUSY: _("another program uses it: stop that program, or a second agent"),
        errno.EINVAL: _("it cannot do {characters}: check baud, data_bits and parity").format(
            characters=settings.characters
        ),
    }.get(number or 0, f"{error}")
    return _("the port {port} cannot be opened: {advice}").format(port=settings.port, advice=advice)
