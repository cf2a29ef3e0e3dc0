"""A serial port as a byte link: opened by pyserial, its file descriptor in the event loop."""

import asyncio
import fcntl
import os
import termios
from collections import Counter
from collections.abc import Callable

import serial
from serial.rs485 import RS485Settings

from edge_agent.driver import ConnectionLost
from edge_agent.language import _
from edge_agent_modbus.config import ModbusSettings, Rs485
from edge_agent_modbus.link import Link
from edge_agent_modbus.misread import Unmarking

_PARITIES = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}
_MOST_READ = 4096
RETRY_SECONDS = 1.0  # looking for a port costs nothing, and it may be plugged in at any time


class SerialLink(Link):
    """A serial port of this machine, for this process alone.

    Pulling the adapter shows as EIO, ENXIO, an empty read or `termios.error`, which is no
    `OSError`; all of them are a lost link.

    Args:
        settings: Which port, and how it speaks.
        count: Takes evidence: `parity`, characters with a wrong parity or stop bit; on a line
            without parity they are called `framing`.
    """

    def __init__(
        self, settings: ModbusSettings, count: "Callable[[Counter[str]], None]" = lambda _: None
    ) -> None:
        self._settings, self._count = settings, count
        self._misread = "framing" if settings.parity == "none" else "parity"
        self._unmarking = Unmarking()
        self._path = str(settings.port)
        self._port: serial.Serial | None = None
        self._file = -1

    @property
    def is_open(self) -> bool:
        return self._port is not None

    async def open(self) -> None:
        try:
            self._port = port = self._open_port()
            self._file = port.fileno()
            fcntl.ioctl(self._file, termios.TIOCEXCL)
            _set_direction(port, self._settings.rs485)
            _prepare(self._file)  # last, since pyserial sets everything anew with each change
        except ConnectionLost:
            await self.close()
            raise
        except (OSError, termios.error, ValueError) as error:
            await self.close()
            raise ConnectionLost(_why_not(self._path, error), retry_after=RETRY_SECONDS) from error
        self._unmarking = Unmarking()
        asyncio.get_running_loop().add_reader(self._file, self._read)

    def _open_port(self) -> serial.Serial:
        settings = self._settings
        return serial.Serial(
            self._path,
            baudrate=settings.baud or 0,
            bytesize=settings.character_bits,
            parity=_PARITIES[settings.parity],
            stopbits=settings.stop_bits,
            timeout=0,
            exclusive=True,
        )

    def send(self, data: bytes) -> None:
        if self._port is None:
            raise ConnectionLost(_("{path} is not open").format(path=self._path))
        try:
            written = os.write(self._file, data)
        except OSError as error:
            raise ConnectionLost(self._break(str(error))) from error
        if written != len(data):
            raise ConnectionLost(self._break(_("it does not take a whole frame")))

    async def drain(self) -> None:
        self._read()

    def _read(self) -> None:
        """Hand over all that the kernel has; it gives no more than it likes per call."""
        while self._port is not None:
            try:
                data = os.read(self._file, _MOST_READ)
            except BlockingIOError:
                return
            except OSError as error:
                self.receiver.lost(self._break(str(error)))
                return
            if not data:
                self.receiver.lost(self._break(_("it was unplugged")))
                return
            self._hand_on(data)

    def _hand_on(self, data: bytes) -> None:
        before = self._unmarking.found
        plain = self._unmarking.feed(data)
        if found := self._unmarking.found - before:
            self._count(Counter({self._misread: found}))
        if plain:
            self.receiver.heard(plain)

    def _break(self, reason: str) -> str:
        self._release()
        return _(
            "the serial port {path} is gone ({reason}): check the adapter and its cable"
        ).format(path=self._path, reason=reason)

    def _release(self) -> None:
        port, self._port = self._port, None
        if port is None:
            return
        if self._file >= 0:
            asyncio.get_running_loop().remove_reader(self._file)
        self._file = -1
        port.close()

    async def close(self) -> None:
        self._release()


def _prepare(file: int) -> None:
    """Set what pyserial does not: reads without data "would block", misread characters are marked.

    With pyserial's setting such reads are empty, which is what an unplugged adapter gives.
    """
    attributes = termios.tcgetattr(file)
    attributes[0] |= termios.INPCK | termios.PARMRK  # 0 are the input modes
    attributes[0] &= ~(termios.IGNPAR | termios.BRKINT)  # a break is a character, not a signal
    attributes[6][termios.VMIN] = 1  # 6 is where the control characters stand
    termios.tcsetattr(file, termios.TCSANOW, attributes)


def _set_direction(port: serial.Serial, wanted: Rs485 | None) -> None:
    """Have the kernel turn the transceiver round. Without a wish, what was set before stays."""
    if wanted is None:
        return
    sends_high = wanted.rts_when_sending == "high"
    try:
        port.rs485_mode = RS485Settings(
            rts_level_for_tx=sends_high,
            rts_level_for_rx=not sends_high,
            loopback=wanted.hear_own,
            delay_before_tx=wanted.delay_before,
            delay_before_rx=wanted.delay_after,
        )
    except ValueError as error:  # what pyserial makes of the ioctl's failure
        raise ConnectionLost(
            _(
                "the driver of {port} has no RS-485 mode: leave `rs485` out (a USB "
                "adapter turns round by itself), or use a port whose driver has it"
            ).format(port=port.port)
        ) from error


def _why_not(path: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if isinstance(error, FileNotFoundError) or not os.path.exists(path):  # noqa: PTH110 - a device
        return _("there is no serial port {path}: plug the adapter in, or correct `port`").format(
            path=path
        )
    if number == 13:
        return _(
            "no right to open {path}: add the user to the group dialout (or that of the port)"
        ).format(path=path)
    if number in {11, 16}:
        return _(
            "{path} is in use by another program: stop it (`fuser -v {path}` names "
            "it; often ModemManager or a getty), or use another port"
        ).format(path=path)
    return _(
        "{path} cannot be opened as a serial port ({error}): check baud, parity and stop_bits"
    ).format(path=path, error=error)
