"""One number from the display names type, order, scale and address; measured on many registers."""

import csv
import itertools
import random
import struct
from pathlib import Path

import pytest
from edge_agent_modbus.candidates import Reading, candidates, parse_shown
from edge_agent_modbus.pdu import Table

ROWS = list(csv.DictReader(Path(__file__).with_name("displayed.csv").read_text().splitlines()))
CODES = {"uint16": "H", "int16": "h", "float32": "f", "uint32": "I", "int32": "i"}
CODES |= {"float64": "d", "uint64": "Q", "int64": "q"}
ORDERS = {1: [""], 2: ["ABCD", "CDAB", "BADC", "DCBA"]}
ORDERS |= {4: ["ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"]}


def encode(row, raw, order) -> list[int]:
    """Registers of a value, made without the driver: its bytes are put where the order says."""
    plain = struct.pack(f">{CODES[row['type']]}", raw)
    wire = bytes(plain["ABCDEFGH".index(letter)] for letter in order) if order else plain
    return [int.from_bytes(wire[at : at + 2], "big") for at in range(0, len(wire), 2)]


def raw_value(row, rng):
    low, high = float(row["low"]), float(row["high"])
    value = low * (high / low) ** rng.random() if low > 0 else rng.uniform(low, high)
    return value if row["type"].startswith("float") else round(value)


def display(row, raw) -> str:
    if row["type"].startswith("float"):
        raw = struct.unpack(">f", struct.pack(">f", raw))[0]
    return f"{raw * float(row['scale']):.{row['decimals']}f}"


class Case:
    """A register among its neighbours of the same kind, looked for at a place that may be wrong."""

    def __init__(self, row, rng, shift, order, looks=1) -> None:
        self.row, self.shift, self.order = row, shift, order
        self.asked = 100 - shift
        self.readings = [self._look(rng) for _ in range(looks)]

    def _look(self, rng) -> Reading:
        width = struct.calcsize(CODES[self.row["type"]]) // 2
        raw = raw_value(self.row, rng)
        self.shown = display(self.row, raw)
        registers = {}
        for place in range(-3, 6):  # neighbours are values of the same kind
            value = raw if place == 0 else raw_value(self.row, rng)
            words = encode(self.row, value, self.order)
            registers |= {100 + place * width + at: word for at, word in enumerate(words)}
        window = range(self.asked - 1, self.asked + 5)
        return Reading(
            {at: registers[at] for at in window if at in registers}, parse_shown(self.shown)
        )

    def rank(self) -> int | None:
        """The place of the true one in the list; None if it is missing."""
        for place, each in enumerate(candidates(Table.HOLDING, self.asked, self.readings)):
            is_type = self.row["type"] in each.types
            is_scale = each.scale == pytest.approx(float(self.row["scale"]))
            if is_type and is_scale and each.shift == self.shift and each.order == self.order:
                return place
        return None


def digits(shown: str) -> int:
    return len(shown.lstrip("-0.").replace(".", ""))


def measure(cases) -> tuple[int, float, float]:
    """Of numbers from four digits on: how many, the share in the list, the share that is first."""
    ranks = [case.rank() for case in cases if digits(case.shown) >= 4]
    there = [rank for rank in ranks if rank is not None]
    return len(ranks), len(there) / len(ranks), there.count(0) / len(ranks)


def corpus(rng, *, times=1):
    """As devices are: their own orders, and each offset right, one too low and one too high."""
    for row, shift in itertools.product(ROWS * times, (0, -1, 1)):
        yield Case(row, rng, shift, row["order"])


def any_order(rng):
    """As no list of devices has it: every order alike."""
    for row, shift in itertools.product(ROWS, (0, -1, 1)):
        width = struct.calcsize(CODES[row["type"]]) // 2
        yield Case(row, rng, shift, rng.choice(ORDERS[width]))


@pytest.mark.parametrize("make", [corpus, any_order])
@pytest.mark.shows("P10.6")
def test_the_true_one_is_always_there_and_mostly_first(make):
    rng = random.Random(20)
    count, there, first = measure(make(rng))
    print(f"{make.__name__}: {count} numbers, in the list {there:.1%}, first {first:.1%}")
    assert there == 1
    assert first >= 0.9


def test_of_addresses_that_are_right_nearly_all_come_first():
    rng = random.Random(21)
    count, there, first = measure(Case(row, rng, 0, row["order"]) for row in ROWS)
    print(f"right addresses: {count} numbers, in the list {there:.1%}, first {first:.1%}")
    assert there == 1
    assert first >= 0.95


@pytest.mark.thorough
def test_a_second_number_makes_fewer_of_them():
    rng = random.Random(22)
    short = [row | {"decimals": "0"} for row in ROWS if row["decimals"] in "12"]
    one = [Case(row, rng, 0, row["order"]) for row in short]
    two = [Case(row, rng, 0, row["order"], looks=2) for row in short]
    lengths = [
        sum(len(candidates(Table.HOLDING, c.asked, c.readings)) for c in cases)
        for cases in (one, two)
    ]
    print(
        f"candidates of {len(short)} short numbers: {lengths[0]} by one number, {lengths[1]} by two"
    )
    assert all(case.rank() is not None for case in two)
    firsts = [sum(case.rank() == 0 for case in cases) for cases in (one, two)]
    print(f"of them the true one comes first: {firsts[0]} and {firsts[1]}")
    assert lengths[1] < lengths[0]
    assert firsts[1] >= firsts[0]


@pytest.mark.parametrize(
    ("text", "number", "decimals"),
    [
        ("231.4", 231.4, 1),
        ("231,4", 231.4, 1),
        ("7 912", 7912, 0),
        ("18,442.60", 18442.6, 2),
        (" -0.5 ", -0.5, 1),
        ("−12", -12, 0),
    ],
)
def test_numbers_are_read_as_displays_write_them(text, number, decimals):
    shown = parse_shown(text)
    assert (shown.number, shown.decimals) == (pytest.approx(number), decimals)


@pytest.mark.parametrize("text", ["", "abc", "1.2.3", "nan", "12 V", "1.234,5", "12,3,4", "1,2.5"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match=r"write one like 231\.4"):
        parse_shown(text)
