"""A serial port as a byte link: opened by pyserial, its file descriptor in the event loop."""

import asyncio
import fcntl
import os
import termios

import serial
from serial.rs485 import RS485Settings

from edge_agent.driver import ConnectionLost
from edge_agent_modbus.config import ModbusSettings, Rs485
from edge_agent_modbus.link import Link

_PARITIES = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}
_MOST_READ = 4096
RETRY_SECONDS = 1.0  # looking for a port costs nothing, and it may be plugged in at any time


class SerialLink(Link):
    """A serial port of this machine, for this process alone.

    Pulling the adapter shows as EIO, ENXIO, an empty read or `termios.error`, which is no
    `OSError`; all of them are a lost link.
    """

    def __init__(self, settings: ModbusSettings) -> None:
        self._settings = settings
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
            _make_empty_mean_gone(self._file)
            _set_direction(port, self._settings.rs485)
        except ConnectionLost:
            await self.close()
            raise
        except (OSError, termios.error, ValueError) as error:
            await self.close()
            raise ConnectionLost(_why_not(self._path, error), retry_after=RETRY_SECONDS) from error
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
            raise ConnectionLost(f"{self._path} is not open")
        try:
            written = os.write(self._file, data)
        except OSError as error:
            raise ConnectionLost(self._break(str(error))) from error
        if written != len(data):
            raise ConnectionLost(self._break("it does not take a whole frame"))

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
                self.receiver.lost(self._break("it was unplugged"))
                return
            self.receiver.heard(data)

    def _break(self, reason: str) -> str:
        self._release()
        return f"the serial port {self._path} is gone ({reason}): check the adapter and its cable"

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


def _make_empty_mean_gone(file: int) -> None:
    """Let a read without data fail as "would block": pyserial's setting makes it empty."""
    attributes = termios.tcgetattr(file)
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
            f"the driver of {port.port} has no RS-485 mode: leave `rs485` out (a USB adapter turns "
            "round by itself), or use a port whose driver has it"
        ) from error


def _why_not(path: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if isinstance(error, FileNotFoundError) or not os.path.exists(path):  # noqa: PTH110 - a device
        return f"there is no serial port {path}: plug the adapter in, or correct `port`"
    if number == 13:
        return f"no right to open {path}: add the user to the group dialout (or that of the port)"
    if number in {11, 16}:
        return (
            f"{path} is in use by another program: stop it (`fuser -v {path}` names it; often "
            "ModemManager or a getty), or use another port"
        )
    return f"{path} cannot be opened as a serial port ({error}): check baud, parity and stop_bits"
