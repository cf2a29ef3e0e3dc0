"""What to try on a line about which little is known, in which order, and what that costs. Pure.

Source of the order: the settings that equipment leaves the works with, the usual ones first.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edge_agent_modbus.config import ModbusSettings
from edge_agent_modbus.pdu import Table
from edge_agent_modbus.timing import Timing, silence_between_frames

BAUDS = (9600, 19200, 38400, 115200, 4800, 2400, 1200)
FORMATS = (("none", 1), ("even", 1), ("none", 2), ("odd", 1))  # parity, stop bits
LIKELY_UNITS = tuple(range(1, 17))
OTHER_UNITS = tuple(range(17, 248))
NETWORK_ANSWER_WITHIN = 1.0
ANSWER_WITHIN = 0.2  # seconds of thinking; devices that need more are given it when found late
QUICK_WITHIN = 0.04  # seconds; of what needs longer the late answer is heard, and it is asked again
LISTEN_SECONDS = 3.0
_LONGEST_WAIT = 1.0
_CHARACTERS = 8 + 7  # a request and the answer with one register
_GATEWAY_UNITS = (255, 0)  # what TCP devices without units behind them mostly answer to


@dataclass(frozen=True, slots=True)
class Manner:
    """How units are asked whether they are there.

    Attributes:
        within: Seconds that a device has to think.
        tables: One register of each is asked for, in this order.
        listening: Seconds to listen to a line before anything is asked.
        everywhere: Go on with the other settings of a line where one was answered.
    """

    within: float = ANSWER_WITHIN
    tables: tuple[Table, ...] = (Table.HOLDING, Table.INPUT)
    listening: float = LISTEN_SECONDS
    everywhere: bool = False


PATIENT = Manner(everywhere=True)
QUICK = Manner(QUICK_WITHIN, (Table.HOLDING,), everywhere=True)
"""Finds what answers or refuses a holding register at once, which nearly everything does."""


@dataclass(frozen=True, slots=True)
class LineSetting:
    """How a serial line may be set."""

    baud: int
    parity: str = "none"
    stop_bits: int = 1

    def settings(self, port: str) -> ModbusSettings:
        """Give the driver's settings for RTU on this port."""
        return ModbusSettings.model_validate(
            {
                "transport": "rtu",
                "port": port,
                "baud": self.baud,
                "parity": self.parity,
                "stop_bits": self.stop_bits,
            }
        )

    @property
    def character(self) -> float:
        """Seconds that one character takes: start bit, eight data bits, parity, stop bits."""
        return (9 + (self.parity != "none") + self.stop_bits) / self.baud

    def timing(self, within: float = ANSWER_WITHIN) -> Timing:
        """Give the times for asking units of which most do not exist: nothing is waited for twice.

        An answer later than `within` teaches a longer wait, up to a second.
        """
        return Timing(
            timeout=within,
            late_window=0.0,
            least=within,
            most=max(within, _LONGEST_WAIT),
            pause=silence_between_frames(self.baud),
            character=self.character,
        )

    def per_unit(self, manner: Manner) -> float:
        """Give the seconds that a unit costs that is not there."""
        wire = _CHARACTERS * self.character + 2 * silence_between_frames(self.baud)
        return len(manner.tables) * (wire + manner.within)

    def __str__(self) -> str:
        return f"{self.baud} 8{self.parity[0].upper()}{self.stop_bits}"


LIKELY_SETTINGS = (
    LineSetting(9600),
    LineSetting(9600, "even"),
    LineSetting(19200, "even"),
    LineSetting(19200),
    LineSetting(115200),
    LineSetting(4800),
)


def line_settings(configured: LineSetting | None = None) -> Iterator[LineSetting]:
    """Give the settings to try: what is configured first, then the likelier before the rarer."""
    if configured is not None:
        yield configured
    for baud, (parity, stop_bits) in itertools.product(BAUDS, FORMATS):
        setting = LineSetting(baud, parity, stop_bits)
        if setting != configured:
            yield setting


def serial_units(*, everyone: bool = False) -> tuple[int, ...]:
    """Give the units to ask on a serial line; 0 calls all and is never asked."""
    return LIKELY_UNITS + OTHER_UNITS if everyone else LIKELY_UNITS


def network_units(*, everyone: bool = False) -> tuple[int, ...]:
    """Give the units to ask over Modbus TCP, where 255 and 0 mostly mean the device itself.

    Behind a gateway that passes frames on it is as on a serial line.
    """
    return _GATEWAY_UNITS + serial_units(everyone=everyone)


def network_timing(within: float) -> Timing:
    """Give the times for asking over TCP, where an answer tells by its number that it is late."""
    return Timing(timeout=within, late_window=0.0, least=within, most=within)


def cost(settings: Sequence[LineSetting], units: int, manner: Manner) -> float:
    """Give the seconds that a search takes at most while nobody answers, without listening.

    Those who answer are asked for their identification as well; that comes on top.
    """
    return sum(units * setting.per_unit(manner) for setting in settings)
