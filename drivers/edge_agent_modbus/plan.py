"""What a plan consists of: requests, what they bring, and what is asked only now and then. Pure."""

import itertools
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from edge_agent.driver import Flaw, Learnt, Plan, Quality, Why
from edge_agent.language import _
from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.addresses import Addresses
from edge_agent_modbus.decode import Decode, compile_decoder
from edge_agent_modbus.exponents import Scaled
from edge_agent_modbus.pdu import Refusal, Request


class Member(NamedTuple):
    """A wanted address and its place in the plan."""

    position: int
    address: ModbusAddress

    @property
    def end(self) -> int:
        """The first offset behind it."""
        return self.address.offset + self.address.cells


@dataclass(frozen=True, slots=True)
class Block:
    """One request and what it brings.

    Attributes:
        positions: Where each value goes in the plan, in ascending order of offset.
        addresses: Where each value comes from, in the same order.
        place: The positions, if they are one contiguous piece; else None.
    """

    request: Request
    positions: Sequence[int]
    addresses: Sequence[ModbusAddress]
    decode: Decode
    place: slice | None

    @property
    def members(self) -> list[Member]:
        """What it brings, made anew each time."""
        return list(map(Member, self.positions, self.addresses))


@dataclass(frozen=True, slots=True)
class Suspect:
    """A request that the device is thought to refuse, from which it is asked only now and then.

    Attributes:
        code: What the device said when it was last asked for these addresses, and they have no
            other request; or 0 where they have, and this one would be a trial whether the device
            gives more at once than was learnt.
        flaw: What its addresses have while they are not asked for.
    """

    block: Block
    code: int
    flaw: Flaw = field(init=False, compare=False)

    def __post_init__(self) -> None:
        detail = f"{self.request}: {Refusal(self.code)}"
        object.__setattr__(self, "flaw", Flaw(Quality.BAD, Why.REFUSED, detail))

    @property
    def request(self) -> Request:
        """What is asked."""
        return self.block.request

    @property
    def is_trial(self) -> bool:
        """Tell whether its addresses are read by other requests anyway."""
        return self.code == 0


@dataclass(frozen=True, slots=True)
class ModbusPlan(Plan[ModbusAddress]):
    """The requests that bring the addresses.

    Attributes:
        blocks: Asked at every read.
        queue: Suspects and trials, those first that are due first.
        scaled: Addresses whose exponents stand elsewhere, see `exponents`.
        width: Positions that blocks and suspects fill: the addresses', and behind them those of
            exponents.
        learnt: What the plan was made from.
    """

    blocks: tuple[Block, ...] = ()
    queue: deque[Suspect] = field(default_factory=deque)
    scaled: tuple[Scaled, ...] = ()
    width: int = 0
    learnt: Learnt = field(default_factory=dict)


def make_block(members: Sequence[Member], start: int | None = None) -> Block:
    """Make one request that brings all of these: one unit, one table, ascending offsets.

    Args:
        members: What is wanted.
        start: Where the request begins, if not at the first of them.
    """
    first = members[0].address
    offset = first.offset if start is None else start
    end = max(member.end for member in members)
    request = Request(first.unit, first.table, offset, end - offset)
    addresses = [member.address for member in members]
    decode = compile_decoder(offset, request.count, addresses)
    positions = [member.position for member in members]
    if (place := _place(positions)) is not None:
        return Block(request, range(place.start, place.stop), Addresses(addresses), decode, place)
    return Block(request, array("I", positions), Addresses(addresses), decode, None)


def halve(block: Block) -> tuple[Block, Block] | None:
    """Cut a block in two near its middle, between values; None if it is a single one."""
    middle = block.request.offset + block.request.count / 2
    members = block.members
    cuts = list(_cuts(members))
    if not cuts:
        return None
    best = min(cuts, key=lambda at: abs(members[at].address.offset - middle))
    return make_block(members[:best], block.request.offset), make_block(members[best:])


def unseparated(block: Block, refusal: Refusal) -> Flaw:
    """Say that some part of a block is refused, and it is not known yet which."""
    detail = _("{request}: {refusal}; the next reads find out which part is refused").format(
        request=block.request, refusal=refusal
    )
    return Flaw(Quality.BAD, Why.REFUSED, detail)


def _cuts(members: Sequence[Member]) -> Iterator[int]:
    """Number the members that start where all before them have ended."""
    end = members[0].end
    for at, member in enumerate(members):
        if member.address.offset >= end:
            yield at
        end = max(end, member.end)


def _place(positions: Sequence[int]) -> slice | None:
    contiguous = all(after == before + 1 for before, after in itertools.pairwise(positions))
    return slice(positions[0], positions[-1] + 1) if contiguous else None
