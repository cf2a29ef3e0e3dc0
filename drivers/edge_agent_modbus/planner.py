"""Which requests bring the wanted addresses: neighbours share one, holes are gone around. Pure."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from edge_agent.driver import Learnt, Plan
from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.decode import Decode, compile_decoder
from edge_agent_modbus.learnt import Hole, Knowledge
from edge_agent_modbus.pdu import Request, Table

BITS_PER_REGISTER = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """How far neighbours are merged.

    Attributes:
        registers: Most registers of one request.
        bits: Most bits of one request.
        gap: Registers that nobody wants, at most, between two that share a request; for bits
            sixteen times as many.
    """

    registers: int
    bits: int
    gap: int

    def most(self, table: Table) -> int:
        """Give the most cells of one request."""
        return self.bits if table.of_bits else self.registers

    def widest_gap(self, table: Table) -> int:
        """Give the most unwanted cells between two wanted ones."""
        return self.gap * BITS_PER_REGISTER if table.of_bits else self.gap


class Member(NamedTuple):
    """A wanted address and its place in the plan."""

    position: int
    address: ModbusAddress


@dataclass(frozen=True, slots=True)
class Block:
    """One request and what it brings.

    Attributes:
        members: In ascending order of offset.
        place: Where the values go in the plan, if that is one contiguous piece; else None.
    """

    request: Request
    members: tuple[Member, ...]
    decode: Decode
    place: slice | None


@dataclass(frozen=True, slots=True)
class Suspect:
    """A block that the device refused when last asked, and what it then said."""

    block: Block
    code: int


@dataclass(frozen=True, slots=True)
class ModbusPlan(Plan[ModbusAddress]):
    """The requests that bring the addresses.

    Attributes:
        blocks: Asked at every read.
        suspects: Refused when last asked; asked at the first read and now and then.
        learnt: What the plan was made from.
        turns: Numbers the reads of this plan.
    """

    blocks: tuple[Block, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    learnt: Learnt = field(default_factory=dict)
    turns: Iterator[int] = field(default_factory=itertools.count, compare=False, repr=False)


def plan_blocks(
    addresses: Sequence[ModbusAddress], limits: Limits, knowledge: Knowledge
) -> tuple[list[Block], list[Suspect]]:
    """Make the requests for these addresses.

    A value of several registers is never split between requests. Addresses within a known hole
    become suspects, each asked for alone and only now and then.
    """
    wanted = [Member(index, address) for index, address in enumerate(addresses)]
    wanted.sort(key=_sort_key)
    suspects: list[Suspect] = []
    sound: list[Member] = []
    for member in wanted:
        hole = _hole(knowledge, member.address)
        if hole is None:
            sound.append(member)
        else:
            suspects.append(Suspect(make_block([member]), hole.code))
    return [make_block(run) for run in _runs(sound, limits, knowledge)], suspects


def make_block(members: Sequence[Member]) -> Block:
    """Make one request that brings all of these: one unit, one table, ascending offsets."""
    first = members[0].address
    offset, end = first.offset, max(_end(member) for member in members)
    request = Request(first.unit, first.table, offset, end - offset)
    decode = compile_decoder(offset, request.count, [member.address for member in members])
    return Block(request, tuple(members), decode, _place([member.position for member in members]))


def halve(block: Block) -> tuple[Block, Block] | None:
    """Cut a block in two near its middle, between values; None if it is a single one."""
    middle = block.request.offset + block.request.count / 2
    cuts = list(_cuts(block.members))
    if not cuts:
        return None
    best = min(cuts, key=lambda at: abs(block.members[at].address.offset - middle))
    return make_block(block.members[:best]), make_block(block.members[best:])


def _cuts(members: Sequence[Member]) -> Iterator[int]:
    """Number the members that start where all before them have ended."""
    end = _end(members[0])
    for at, member in enumerate(members):
        if member.address.offset >= end:
            yield at
        end = max(end, _end(member))


def _runs(
    members: Iterable[Member], limits: Limits, knowledge: Knowledge
) -> Iterator[list[Member]]:
    """Group sorted members into those that share a request."""
    run: list[Member] = []
    end = 0
    for member in members:
        if run and not _joins(run[0], end, member, limits, knowledge):
            yield run
            run, end = [], 0
        run.append(member)
        end = max(end, _end(member))
    if run:
        yield run


def _joins(first: Member, end: int, member: Member, limits: Limits, knowledge: Knowledge) -> bool:
    """Tell whether a member fits into a request that so far spans from `first` to `end`."""
    unit, table, start = first.address.unit, first.address.table, first.address.offset
    if (member.address.unit, member.address.table) != (unit, table):
        return False
    count = max(end, _end(member)) - start
    most = min(limits.most(table), knowledge.limit(unit, table))
    if count > most or member.address.offset - end > limits.widest_gap(table):
        # What overlaps a value that is too wide already costs no request more.
        return _end(member) <= end
    return not knowledge.is_crossed(unit, table, start, count)


def _end(member: Member) -> int:
    return member.address.offset + member.address.cells


def _hole(knowledge: Knowledge, address: ModbusAddress) -> Hole | None:
    return knowledge.hole_at(address.unit, address.table, address.offset, address.cells)


def _sort_key(member: Member) -> tuple[int, str, int, int]:
    address = member.address
    return address.unit, address.table, address.offset, member.position


def _place(positions: Sequence[int]) -> slice | None:
    contiguous = all(after == before + 1 for before, after in itertools.pairwise(positions))
    return slice(positions[0], positions[-1] + 1) if contiguous else None
