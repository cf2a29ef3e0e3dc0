"""Which requests bring the wanted addresses: neighbours share one, holes are gone around. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.exponents import Scaled, with_exponents
from edge_agent_modbus.learnt import Hole, Knowledge
from edge_agent_modbus.pdu import Table
from edge_agent_modbus.plan import Block, Member, Suspect, make_block

BITS_PER_REGISTER = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """How far neighbours are merged.

    Attributes:
        registers: Most registers of one request.
        bits: Most bits of one request.
        gap: Registers that nobody wants, at most, between two that share a request; for bits
            sixteen times as many.
        alone: Whether each address is asked for by itself.
        coils_from_zero: Whether the first request for coils begins at offset 0.
    """

    registers: int
    bits: int
    gap: int
    alone: bool = False
    coils_from_zero: bool = False

    def most(self, table: Table) -> int:
        """Give the most cells of one request."""
        return self.bits if table.of_bits else self.registers

    def widest_gap(self, table: Table) -> int:
        """Give the most unwanted cells between two wanted ones."""
        return self.gap * BITS_PER_REGISTER if table.of_bits else self.gap


class Requests(NamedTuple):
    """What is asked for some addresses.

    Attributes:
        blocks: Asked at every read.
        suspects: Asked now and then.
        scaled: Which values are multiplied by which exponents.
        width: Positions that all of them fill.
    """

    blocks: list[Block]
    suspects: list[Suspect]
    scaled: list[Scaled]
    width: int


def plan_requests(
    addresses: Sequence[ModbusAddress], limits: Limits, knowledge: Knowledge
) -> Requests:
    """Make the requests for these addresses of one device.

    A value of several registers is never split between requests. Addresses within a known hole
    become suspects, each asked for alone and only now and then.
    """
    wanted, scaled = with_exponents(addresses)
    members = sorted(map(Member._make, enumerate(wanted)), key=_sort_key)
    holes = [(member, _hole(knowledge, member.address)) for member in members]
    suspects = [Suspect(make_block([member]), hole.code) for member, hole in holes if hole]
    sound = [member for member, hole in holes if hole is None]
    blocks = _blocks(sound, limits, knowledge)
    if not knowledge.is_empty:
        suspects += _trials(blocks, _blocks(sound, limits, _holes_of(suspects)))
    scaled, before, after = _read_around(scaled, blocks, wanted)
    blocks = [
        *_blocks(before, limits, knowledge),
        *blocks,
        *_blocks(after, limits, knowledge),
    ]
    return Requests(blocks, suspects, scaled, len(wanted) + len(before) + len(after))


def _read_around(
    scaled: Sequence[Scaled], blocks: Sequence[Block], wanted: Sequence[ModbusAddress]
) -> tuple[list[Scaled], list[Member], list[Member]]:
    """Have exponents read before and after values with which they share no request."""
    home = {position: at for at, block in enumerate(blocks) for position in block.positions}
    apart = [
        each
        for each in scaled
        if each.value in home and each.exponent in home and home[each.value] != home[each.exponent]
    ]
    exponents = sorted({each.exponent for each in apart}, key=lambda at: _place_of(wanted[at]))
    first, second = len(wanted), len(wanted) + len(exponents)
    around = {at: (first + n, second + n) for n, at in enumerate(exponents)}
    before = [Member(around[at][0], wanted[at]) for at in exponents]
    after = [Member(around[at][1], wanted[at]) for at in exponents]
    return (
        [replace(each, around=around[each.exponent]) if each in apart else each for each in scaled],
        before,
        after,
    )


def _blocks(members: Sequence[Member], limits: Limits, knowledge: Knowledge) -> list[Block]:
    blocks: list[Block] = []
    begun: set[tuple[int, Table]] = set()
    for run in _runs(members, limits, knowledge):
        unit, table = run[0].address.unit, run[0].address.table
        end = max(member.end for member in run)
        from_zero = limits.coils_from_zero and table is Table.COIL and (unit, table) not in begun
        begun.add((unit, table))
        fits = end <= min(limits.bits, knowledge.limit(unit, table))
        blocks.append(make_block(run, 0 if from_zero and fits else None))
    return blocks


def _holes_of(suspects: Iterable[Suspect]) -> Knowledge:
    """Give what is known about single addresses, without limits and borders."""
    knowledge = Knowledge({})
    for suspect in suspects:
        request = suspect.request
        hole = Hole(request.offset, request.count, suspect.code)
        knowledge.learn_hole(request.unit, request.table, hole)
    return knowledge


def _trials(blocks: Iterable[Block], wider: Iterable[Block]) -> Iterator[Suspect]:
    """Give those of the wider blocks that are not among the blocks: one for each unit and table.

    If that one is answered, all the others are planned anew.
    """
    planned = {block.request for block in blocks}
    tried: set[tuple[int, Table]] = set()
    for block in wider:
        request = block.request
        if request not in planned and (request.unit, request.table) not in tried:
            tried.add((request.unit, request.table))
            yield Suspect(block, 0)


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
        end = max(end, member.end)
    if run:
        yield run


def _joins(first: Member, end: int, member: Member, limits: Limits, knowledge: Knowledge) -> bool:
    """Tell whether a member fits into a request that so far spans from `first` to `end`."""
    unit, table, start = first.address.unit, first.address.table, first.address.offset
    if (member.address.unit, member.address.table) != (unit, table):
        return False
    if limits.alone:  # bits of one register are still one request
        return (member.address.offset, member.end) == (start, end)
    count = max(end, member.end) - start
    most = min(limits.most(table), knowledge.limit(unit, table))
    if count > most or member.address.offset - end > limits.widest_gap(table):
        # What overlaps a value that is too wide already costs no request more.
        return member.end <= end
    return not knowledge.is_crossed(unit, table, start, count)


def _hole(knowledge: Knowledge, address: ModbusAddress) -> Hole | None:
    return knowledge.hole_at(address.unit, address.table, address.offset, address.cells)


def _place_of(address: ModbusAddress) -> tuple[int, str, int]:
    return address.unit, address.table, address.offset


def _sort_key(member: Member) -> tuple[int, str, int, int]:
    return *_place_of(member.address), member.position
