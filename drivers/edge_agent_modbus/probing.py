"""One device looked at from all sides: the way to it, who it is, what it holds, how fast it is."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from edge_agent.driver import ConnectionLost
from edge_agent.language import _
from edge_agent_modbus import survey
from edge_agent_modbus.discovery import LIKELY_SETTINGS, Manner
from edge_agent_modbus.faults import Fault
from edge_agent_modbus.guess import guess
from edge_agent_modbus.identify import Identity, identify
from edge_agent_modbus.network import spoken
from edge_agent_modbus.onceread import Failure, OneDevice
from edge_agent_modbus.pdu import Request, Table
from edge_agent_modbus.recognising import Recogniser
from edge_agent_modbus.recognition import Suggestion
from edge_agent_modbus.scan import search
from edge_agent_modbus.survey import Cells, Surveyor
from edge_agent_modbus.target import Endpoint, Line

_NEARLY_ALL = 0.95


@dataclass(slots=True)
class Probed:
    """What is known about a device.

    Attributes:
        connection: Settings of the driver that lead to it.
        tables: What was read, with all values: what a profile may recognise it by.
        seconds: How long each answer took, sorted.
        suggestions: Profiles that it may be, the likeliest first.
    """

    unit: int
    connection: dict[str, Any]
    identity: Identity = field(default_factory=Identity)
    tables: dict[Table, Cells] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    suggestions: list[Suggestion] = field(default_factory=list)

    def took(self, share: float) -> float:
        """Give the milliseconds within which this share of all answers came."""
        return round(1000 * self.seconds[int(share * (len(self.seconds) - 1))], 1)

    def document(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {
            "unit": self.unit,
            "connection": self.connection,
            "identity": dict(self.identity.objects),
            "server_id": self.identity.server_id.hex() if self.identity.server_id else None,
            "profiles": [each.document() for each in self.suggestions],
            "requests": len(self.seconds),
            "ms": {
                "median": self.took(0.5),
                "nearly_all": self.took(_NEARLY_ALL),
                "slowest": self.took(1.0),
            },
            "tables": {str(table): _table(cells) for table, cells in self.tables.items()},
        }


def _table(cells: Cells) -> dict[str, Any]:
    document: dict[str, Any] = {
        "ranges": [list(each) for each in cells.ranges],
        "limit": cells.limit,
        "largest": cells.largest,
        "absent": cells.absent or None,
        "cut_short": cells.is_cut_short,
        "values": {str(offset): value for offset, value in sorted(cells.values.items())},
    }
    if not cells.table.of_bits:
        document["decimal_numbers"] = [
            {"order": each.order, "numbers": {str(at): n for at, n in each.numbers.items()}}
            for each in guess(cells.values)
        ]
    return document


async def way_to(target: Line | Endpoint, unit: int, listening: float) -> Line | Endpoint | Failure:
    """Find out how a device is reached, as far as the target does not say it.

    A serial line is listened to before anything is sent.

    Raises:
        ConnectionLost: The port or the address cannot be opened.
        LineInUse: Somebody else talks on the line.
    """
    if isinstance(target, Endpoint):
        transport = target.transport or await spoken(target.host, target.port)
        if transport is None:
            code, sentence, action = Fault.NETWORK_SILENT.value
            return Failure(code, f"{target}: {sentence}: {action}")
        return Endpoint(target.host, target.port, transport)
    if target.is_ascii:
        return target  # there is nothing to find out, and `search` speaks RTU
    settings = [target.setting] if target.setting else LIKELY_SETTINGS
    steps = search(target.port, settings, [unit], Manner(listening=listening))
    async with contextlib.aclosing(steps):
        async for step in steps:
            if step.found and step.setting:
                setting = step.setting
                written = (
                    ("baud", str(setting.baud)),
                    ("parity", setting.parity),
                    ("stop_bits", str(setting.stop_bits)),
                )
                return Line(target.port, written)
    code, sentence, action = Fault.SILENT.value
    return Failure(
        code,
        _("{target}: unit {unit} does not answer. {sentence}: {action}").format(
            target=target, unit=unit, sentence=sentence, action=action
        ),
    )


async def examine(
    way: Line | Endpoint, unit: int, most: int, told: Callable[[str], None]
) -> Probed | Failure:
    """Look at a device.

    Args:
        way: How it is reached.
        unit: Its number.
        most: Requests to each of its tables.
        told: Called with what is being done.

    Raises:
        ConnectionLost: The link broke, and cannot be opened again.
    """
    settings = way.settings()
    probed = Probed(unit, settings.model_dump(mode="json", exclude_unset=True))
    async with OneDevice(settings, str(way)) as device:
        told(_("who it is"))
        first = await device.ask(Request(unit, Table.HOLDING, 0, 1))
        if isinstance(first, Failure):
            first = await device.ask(Request(unit, Table.INPUT, 0, 1))
        if isinstance(first, Failure):
            return first
        probed.identity = await identify(device.once, unit)
        told(_("which model it may be"))
        is_serial = settings.is_serial
        recogniser = Recogniser(device.once, unit, is_serial=is_serial, identity=probed.identity)
        with contextlib.suppress(ConnectionLost):  # some hang up on what they do not know
            probed.suggestions = await recogniser.run()
        surveyor = Surveyor(device.once, unit, survey.PAUSE, most)
        for table in (Table.HOLDING, Table.INPUT, Table.COIL, Table.DISCRETE):
            told(_("{table} cells").format(table=table))
            try:
                probed.tables[table] = await surveyor.look(table)
            except ConnectionLost as error:  # some hang up on what they do not know
                probed.tables[table] = Cells(table, absent=str(error))
    probed.seconds = sorted(surveyor.seconds)
    if not probed.seconds:
        code, sentence, action = Fault.SILENT.value
        return Failure(code, f"{way}: {sentence}: {action}")
    return probed
