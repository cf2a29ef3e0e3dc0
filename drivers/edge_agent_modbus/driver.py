"""Reads Modbus devices: plans blocks, asks for them, decodes what comes."""

from collections import Counter
from collections.abc import Sequence

from edge_agent.driver import ConnectionLost, Driver, Learnt, Plan, Samples
from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.ascii import AsciiFramer
from edge_agent_modbus.config import ModbusSettings
from edge_agent_modbus.framing import Framer
from edge_agent_modbus.learnt import Knowledge
from edge_agent_modbus.link import Link, TcpLink
from edge_agent_modbus.mbap import TcpFramer
from edge_agent_modbus.pdu import Request, Table
from edge_agent_modbus.planner import Block, Limits, ModbusPlan, plan_blocks
from edge_agent_modbus.rtu import RtuFramer
from edge_agent_modbus.sweep import BUSY_WAITS, EXTRA_REQUESTS, Sweep
from edge_agent_modbus.timing import timing_of
from edge_agent_modbus.transaction import Transactions

SERIAL_REGISTERS = 60  # refused by fewer devices than 125, and short enough for a noisy line
TCP_REGISTERS = 125
_SILENT_CHARACTERS = 7  # two silences of 3.5 characters, around a request


class ModbusDriver(Driver[ModbusSettings, ModbusAddress]):
    """One Modbus link and the devices behind it.

    Evidence counted, beside what `framing` lists: `reconnects`, links that the other side had
    closed while idle and that were opened again without more ado.
    """

    settings_type = ModbusSettings
    address_type = ModbusAddress

    def __init__(self, settings: ModbusSettings) -> None:
        super().__init__(settings)
        self._timing = timing_of(settings)
        self._framer = _framer(settings, self.evidence)
        self._transactions = Transactions(
            _link(settings), self._framer, self._timing, self.evidence
        )
        self._limits = _limits(settings, self._framer)
        self._has_answered = False

    async def open(self) -> None:
        self._has_answered = False
        await self._transactions.open()

    def plan(self, addresses: Sequence[ModbusAddress], learnt: Learnt) -> ModbusPlan:
        blocks, suspects = plan_blocks(addresses, self._limits, Knowledge(learnt))
        return ModbusPlan(
            addresses=tuple(addresses),
            cost=sum(self._cost(block) for block in blocks),
            patience=self._patience(blocks, len(suspects)),
            blocks=tuple(blocks),
            suspects=tuple(suspects),
            learnt=learnt,
        )

    def _cost(self, block: Block) -> float:
        """Give the seconds that a request and its answer occupy the line."""
        return self._timing.on_wire(sum(self._framer.wire_bytes(block.request))) + (
            2 * self._timing.pause
        )

    def _patience(self, blocks: Sequence[Block], suspects: int) -> float:
        """Give more than a read can take: every request answered at the last moment."""
        timing = self._timing
        requests = len(blocks) * (1 + len(BUSY_WAITS)) + min(suspects, 1) + EXTRA_REQUESTS
        each = timing.timeout + 2 * timing.pause + timing.on_wire(600)
        return requests * each + 2 * (timing.timeout + timing.late_window) + timing.after_open

    async def read(self, plan: Plan[ModbusAddress]) -> Samples:
        if not isinstance(plan, ModbusPlan):
            raise TypeError("a Modbus driver reads only the plans it has made")
        if not self._transactions.is_open:
            await self._reopen()
        samples = await Sweep(self._transactions.ask, plan).run()
        self._has_answered = True
        return samples

    async def _reopen(self) -> None:
        """Open a link again that the other side closed while nothing was asked: that is normal.

        Raises:
            ConnectionLost: It was never open, it broke before it gave anything, or it stays shut.
        """
        if not self._has_answered:
            reason = self._transactions.why_lost or "the link is not open"
            raise ConnectionLost(f"{self.settings.line()}: {reason}")
        self._has_answered = False
        self.evidence["reconnects"] += 1
        await self._transactions.open()

    async def close(self) -> None:
        self._has_answered = False
        await self._transactions.close()


def _framer(settings: ModbusSettings, evidence: "Counter[str]") -> Framer:
    if settings.transport == "tcp":
        return TcpFramer(evidence, numbered=settings.transaction_id == "match")
    return RtuFramer(evidence) if settings.transport.startswith("rtu") else AsciiFramer(evidence)


def _link(settings: ModbusSettings) -> Link:
    if not settings.is_serial:
        return TcpLink(str(settings.host), settings.tcp_port)
    # pyserial is imported only where there is a serial port: a gateway on TCP saves its memory.
    from edge_agent_modbus.serial_line import SerialLink  # noqa: PLC0415

    return SerialLink(settings)


def _limits(settings: ModbusSettings, framer: Framer) -> Limits:
    registers = SERIAL_REGISTERS if settings.transport != "tcp" else TCP_REGISTERS
    gap = settings.max_gap
    return Limits(
        registers=settings.max_registers or registers,
        bits=settings.max_bits,
        gap=_worthwhile_gap(framer) if gap is None else gap,
    )


def _worthwhile_gap(framer: Framer) -> int:
    """Give the unwanted registers that cost no more than another request and its answer."""
    one, two = (sum(framer.wire_bytes(Request(1, Table.HOLDING, 0, count))) for count in (1, 2))
    each = two - one
    silent = 0 if isinstance(framer, TcpFramer) else _SILENT_CHARACTERS
    return (one - each + silent) // each
