"""Reads Modbus devices: plans blocks, asks for them, decodes what comes."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge_agent.driver import ConnectionLost, Diagnosis, Driver, Learnt, Plan, Samples
from edge_agent.language import _
from edge_agent_modbus import adapter
from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.addresses import Addresses
from edge_agent_modbus.ascii import AsciiFramer
from edge_agent_modbus.config import ModbusSettings
from edge_agent_modbus.diagnosis import diagnose
from edge_agent_modbus.enquiry import Asked
from edge_agent_modbus.faults import Fault
from edge_agent_modbus.framing import Framer
from edge_agent_modbus.learnt import Knowledge
from edge_agent_modbus.lenient import LenientTcpFramer
from edge_agent_modbus.link import Link, TcpLink
from edge_agent_modbus.mbap import TcpFramer
from edge_agent_modbus.pdu import GATEWAY, Outcome, Refusal, Request, Table
from edge_agent_modbus.plan import Block, ModbusPlan
from edge_agent_modbus.planner import Limits, plan_requests
from edge_agent_modbus.retest import Retests
from edge_agent_modbus.rtu import RtuFramer
from edge_agent_modbus.sweep import BUSY_WAITS, EXTRA_REQUESTS, Sweep
from edge_agent_modbus.tap import FRESH_SECONDS, Tap
from edge_agent_modbus.timing import timing_of
from edge_agent_modbus.transaction import Transactions

SERIAL_REGISTERS = 60  # refused by fewer devices than 125, and short enough for a noisy line
TCP_REGISTERS = 125
LAST_UNIT = 247  # MODBUS over Serial Line V1.02, 2.2; the numbers above are reserved
_MOST_ADVICE = 3  # pieces in one sentence
_SILENT_CHARACTERS = 7  # two silences of 3.5 characters, around a request


class ModbusDriver(Driver[ModbusSettings, ModbusAddress]):
    """One Modbus link and the devices behind it.

    Evidence counted, beside what `framing` lists: `reconnects`, links that the other side had
    closed while idle and that were opened again without more ado; `renewed`, gateways that were
    connected to anew after two timeouts in a row; `gateway`, answers of a gateway that the device
    behind it does not answer; on serial ports `parity` or `framing`, as `serial_line` has it.
    """

    settings_type = ModbusSettings
    address_type = ModbusAddress

    def __init__(self, settings: ModbusSettings) -> None:
        super().__init__(settings)
        self._timing = timing_of(settings)
        self._framer = _framer(settings, self.evidence)
        link = _link(settings, self._framer)
        self._transactions = Transactions(link, self._framer, self._timing, self.evidence)
        self._tap: Tap | None = None
        if settings.listen:
            self._tap = Tap(link, settings.timeout or FRESH_SECONDS, self.evidence)
        self._limits = _limits(settings, self._framer)
        self._retests = Retests()
        self._per_cycle = settings.connection == "per_cycle"
        self._has_answered = False
        self._slow_adapter: list[str] = []

    @classmethod
    def faults(cls, settings: ModbusSettings, address: ModbusAddress) -> Mapping[str, str]:
        found = {}
        if settings.transport != "tcp" and not 1 <= address.unit <= LAST_UNIT:
            found["unit"] = _(
                "unit {unit} does not exist on a serial line: write 1 to {last_unit} (0 "
                "calls all devices, and none answers)"
            ).format(unit=address.unit, last_unit=LAST_UNIT)
        most = settings.max_bits if address.table.of_bits else settings.max_registers
        if most is not None and address.cells > most:
            found[""] = _(
                "the value occupies {cells} registers, more than `max_registers: {most}` "
                "allows in one request: write a larger `max_registers`, or leave it out"
            ).format(cells=address.cells, most=most)
        return found

    async def open(self) -> None:
        self._has_answered = False
        await (self._tap or self._transactions).open()
        if self.settings.is_serial:
            self._slow_adapter = adapter.advice(str(self.settings.port))

    def plan(self, addresses: Sequence[ModbusAddress], learnt: Learnt) -> ModbusPlan:
        if self._tap is not None:
            return self._plan_to_listen(self._tap, addresses)
        asked = plan_requests(addresses, self._limits, Knowledge(learnt))
        return ModbusPlan(
            addresses=Addresses(addresses),
            cost=sum(self._cost(block) for block in asked.blocks),
            patience=self._patience(asked.blocks),
            requests=len(asked.blocks),
            blocks=tuple(asked.blocks),
            queue=self._retests.queue(asked.suspects),
            scaled=tuple(asked.scaled),
            width=asked.width,
            learnt=learnt,
        )

    def _plan_to_listen(self, tap: Tap, addresses: Sequence[ModbusAddress]) -> ModbusPlan:
        """Want each value by itself: how the other master asks for them is not known."""
        wanted = plan_requests(addresses, replace(self._limits, alone=True), Knowledge({}))
        return ModbusPlan(
            addresses=tuple(addresses),
            patience=tap.fresh + 1,
            blocks=tuple(wanted.blocks),
            scaled=tuple(wanted.scaled),
            width=wanted.width,
        )

    def probe(self, plan: Plan[ModbusAddress]) -> Plan[ModbusAddress]:
        """Ask for the shortest value alone; a refusal of that proves life as well."""
        if not isinstance(plan, ModbusPlan) or not plan.addresses or self._tap is not None:
            return plan
        shortest = min(plan.addresses, key=lambda address: address.cells)
        probe = self.plan([shortest], {})
        return replace(probe, cost_of_silence=sum(map(self._cost_of_silence, probe.blocks[:1])))

    def _cost_of_silence(self, block: Block) -> float:
        """Give the seconds that an unanswered probe blocks the line; no quarantine follows it."""
        return self._cost(block) + self._transactions.patience.timeout(block.request.unit)

    def noticed(self, plan: Plan[ModbusAddress]) -> "Counter[str]":
        asked = plan.blocks if isinstance(plan, ModbusPlan) else ()
        units = {block.request.unit for block in asked} or {each.unit for each in plan.addresses}
        by_unit = self._framer.by_unit
        if len(units) == 1:
            return by_unit[units.pop()]
        return sum((by_unit[unit] for unit in units), start=Counter())

    def diagnose(self, evidence: Mapping[str, int]) -> Diagnosis | None:
        if self._tap is not None:
            return None  # what is wrong is between the other master and its device
        found = diagnose(evidence, of_frames=self.settings.transport != "tcp")
        if found != Fault.LATE.value:
            return found
        timeouts = list(self._transactions.patience.advice()) or [Fault.LATE.value.action]
        return found._replace(action="; ".join([*timeouts[:_MOST_ADVICE], *self._slow_adapter]))

    def _cost(self, block: Block) -> float:
        """Give the seconds that a request and its answer occupy the line."""
        return self._timing.on_wire(sum(self._framer.wire_bytes(block.request))) + (
            2 * self._timing.pause
        )

    def _patience(self, blocks: Sequence[Block]) -> float:
        """Give more than a read can take: every request answered at the last moment."""
        timing = self._timing
        requests = len(blocks) * (1 + len(BUSY_WAITS)) + EXTRA_REQUESTS
        each = timing.most + 2 * timing.pause + timing.rest + timing.on_wire(600)
        waited = timing.most + timing.quarantine(timing.most)
        return requests * each + 2 * waited + timing.after_open

    async def read(self, plan: Plan[ModbusAddress]) -> Samples:
        if not isinstance(plan, ModbusPlan):
            raise TypeError(_("a Modbus driver reads only the plans it has made"))
        if self._tap is not None:
            return await self._tap.read(plan)
        if not self._transactions.is_open:
            await self._reopen()
        try:
            return await self._sweep(plan)
        finally:
            if self._per_cycle:
                await self._transactions.close()

    async def _sweep(self, plan: ModbusPlan) -> Samples:
        patience = self._transactions.patience
        patience.start_with(plan.learnt)
        now = asyncio.get_running_loop().time()
        samples = await Sweep(self._ask, plan, self._retests, now).run()
        self._has_answered = True
        units = {block.request.unit for block in plan.blocks}
        samples.learnt = patience.taught(units, plan.learnt, samples.learnt)
        return samples

    async def _ask(self, request: Asked) -> Outcome:
        outcome = await self._transactions.ask(request)
        if isinstance(outcome, Refusal) and outcome.code in GATEWAY:
            self._framer.count(Counter(gateway=1))
        return outcome

    def advice(self) -> list[str]:
        """Say what the settings should be, seen from what the devices do; for people."""
        return [*self._transactions.patience.advice(), *self._slow_adapter]

    async def ask(self, asked: Asked) -> Outcome:
        """Ask one thing beside the polls, as `identify` does; never while a read runs.

        Raises:
            ConnectionLost: The link broke, or is not open; or this driver only listens.
        """
        if self._tap is not None:
            raise ConnectionLost(
                _("{line} is only listened to: nothing is asked").format(line=self.settings.line())
            )
        if not self._transactions.is_open:
            await self._reopen()
        return await self._ask(asked)

    async def identify(self, plan: Plan[ModbusAddress]) -> Mapping[str, str]:
        from edge_agent_modbus.identify import identify  # noqa: PLC0415 - for people, not for polls

        if self._tap is not None or not plan.addresses:
            return {}
        told = await identify(self.ask, plan.addresses[0].unit)
        return told.objects or ({"server_id": str(told)} if told else {})

    async def _reopen(self) -> None:
        """Open a link again that was closed while nothing was asked: that is normal.

        Raises:
            ConnectionLost: It was never open, it broke before it gave anything, or it stays shut.
        """
        if not (self._has_answered or self._per_cycle):
            reason = self._transactions.why_lost or _("the link is not open")
            raise ConnectionLost(f"{self.settings.line()}: {reason}")
        if not self._per_cycle:
            self.evidence["reconnects"] += 1
        self._has_answered = False
        await self._transactions.close()
        await self._transactions.open()

    async def close(self) -> None:
        self._has_answered = False
        await (self._tap or self._transactions).close()


def _framer(settings: ModbusSettings, evidence: "Counter[str]") -> Framer:
    if settings.transport == "tcp":
        return _tcp_framer(settings, evidence)
    return RtuFramer(evidence) if settings.transport.startswith("rtu") else AsciiFramer(evidence)


def _tcp_framer(settings: ModbusSettings, evidence: "Counter[str]") -> TcpFramer:
    numbered = settings.transaction_id == "match"
    any_unit, any_length = settings.answer_unit == "any", settings.answer_length == "ignore"
    if not any_unit and not any_length:
        return TcpFramer(evidence, numbered=numbered)
    return LenientTcpFramer(evidence, numbered=numbered, any_unit=any_unit, any_length=any_length)


def _link(settings: ModbusSettings, framer: Framer) -> Link:
    if not settings.is_serial:
        return TcpLink(str(settings.host), settings.tcp_port)
    # pyserial is imported only where there is a serial port: a gateway on TCP saves its memory.
    from edge_agent_modbus.serial_line import SerialLink  # noqa: PLC0415

    return SerialLink(settings, framer.count)


def _limits(settings: ModbusSettings, framer: Framer) -> Limits:
    registers = SERIAL_REGISTERS if settings.transport != "tcp" else TCP_REGISTERS
    gap = settings.max_gap
    return Limits(
        registers=settings.max_registers or registers,
        bits=settings.max_bits,
        gap=_worthwhile_gap(framer) if gap is None else gap,
        alone=settings.one_request_per_point,
        coils_from_zero=settings.coils_from_zero,
    )


def _worthwhile_gap(framer: Framer) -> int:
    """Give the unwanted registers that cost no more than another request and its answer."""
    one, two = (sum(framer.wire_bytes(Request(1, Table.HOLDING, 0, count))) for count in (1, 2))
    each = two - one
    silent = 0 if isinstance(framer, TcpFramer) else _SILENT_CHARACTERS
    return (one - each + silent) // each
