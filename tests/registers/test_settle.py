"""One value that somebody knows settles what a list leaves open."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from edge_agent.registers import ListUnreadable, RegisterList
from edge_agent.registers.settle import Settled, settle
from tests.rigs.register_lists import listed

TEXT = "name,address,type,倍率\nvoltage,4096,uint16,0.1\nspare,4097,uint16,\nlong,4098,float,\n"


def settled(
    registers: Mapping[tuple[str, int], float], row: int, shown: str, **given: str
) -> Settled:
    def points(bodies: Sequence[Mapping[str, Any]]) -> list[float | None]:
        places = [(one["address"]["table"], one["address"]["offset"]) for one in bodies]
        raw = [registers.get(place) for place in places]
        return [
            None if value is None else value * body.get("scale", 1)
            for value, body in zip(raw, bodies, strict=True)
        ]

    def read(answers: Mapping[str, str]) -> RegisterList:
        return listed(TEXT, **answers)

    return settle(read, points, given, row, shown)


@pytest.mark.parametrize(
    ("registers", "answers"),
    [
        ({("holding", 4096): 2314, ("holding", 4095): 7}, {"numbers": "wire", "table": "holding"}),
        (
            {("holding", 4095): 2314, ("input", 4096): 0},
            {"numbers": "register", "table": "holding"},
        ),
        ({("input", 0x4096): 2314}, {"numbers": "hex", "table": "input"}),
        ({("input", 4096): 2312, ("holding", 4096): 7}, {"numbers": "wire", "table": "input"}),
    ],
)
def test_the_ways_that_show_the_number_settle_the_questions(
    registers: dict[tuple[str, int], float], answers: dict[str, str]
) -> None:
    found = settled(registers, 2, "231.4")
    assert found.answers == answers
    assert "row 2 shows 231.4" in found.why
    assert listed(TEXT, **found.answers).questions == []


def test_two_ways_that_show_it_settle_only_what_they_agree_in() -> None:
    found = settled({("holding", 4096): 2314, ("input", 4096): 2314}, 2, "231.4")
    assert found.answers == {"numbers": "wire"}
    assert "2 ways show 231.4; the number of another row may tell more" in found.why


def test_an_exact_number_wins_over_one_that_is_near() -> None:
    found = settled({("holding", 4096): 2314, ("input", 4096): 2330}, 2, "231.4")
    assert found.answers["table"] == "holding"


def test_what_nothing_shows_is_told_with_what_was_read() -> None:
    found = settled({("holding", 4096): 7}, 2, "231.4")
    assert found.answers == {}
    assert "no way to read it shows 231.4: " in found.why
    assert "0.7" in found.why


def test_the_byte_order_is_settled_like_everything_else() -> None:
    found = settled({("holding", 4098): 7.0}, 4, "7", numbers="wire", table="holding")
    assert found.answers == {}  # all orders lead to the same number here


@pytest.mark.parametrize(("row", "shown", "why"), [(9, "1", "no row 9"), (2, "lots", "no number")])
def test_what_cannot_be_checked_is_said(row: int, shown: str, why: str) -> None:
    with pytest.raises(ListUnreadable, match=why):
        settled({}, row, shown)
