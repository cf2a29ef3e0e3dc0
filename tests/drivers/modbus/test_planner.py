"""Neighbours share a request, values stay whole, and holes are gone around."""

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings
from edge_agent_modbus.learnt import Hole, Knowledge
from edge_agent_modbus.pdu import Request, Table
from edge_agent_modbus.plan import halve
from hypothesis import given
from hypothesis import strategies as st

TCP = ModbusDriver(ModbusSettings(host="plc"))
RTU = ModbusDriver(ModbusSettings(transport="rtu", port="/dev/x", baud=9600))


def ranges(plan) -> list[tuple[int, int]]:
    return [(block.request.offset, block.request.count) for block in plan.blocks]


def registers(*offsets: int, **keys) -> list[ModbusAddress]:
    return [ModbusAddress(offset=offset, **keys) for offset in offsets]


@pytest.mark.parametrize("driver", [TCP, RTU])
def test_sixty_neighbours_are_one_request_in_any_order(driver):
    assert ranges(driver.plan(registers(*reversed(range(60))), {})) == [(0, 60)]
    assert ranges(driver.plan(registers(*range(0, 60, 2), type="float32"), {})) == [(0, 60)]


def test_a_serial_line_takes_sixty_registers_at_once_and_tcp_as_many_as_fit():
    assert ranges(RTU.plan(registers(*range(130)), {})) == [(0, 60), (60, 60), (120, 10)]
    assert ranges(TCP.plan(registers(*range(130)), {})) == [(0, 125), (125, 5)]


def test_gaps_are_read_along_while_that_is_cheaper_than_a_request():
    assert ranges(RTU.plan(registers(0, 11, 23), {})) == [(0, 12), (23, 1)]


def test_a_strict_device_is_asked_for_nothing_else():
    strict = ModbusDriver(ModbusSettings(host="plc", max_gap=0))
    assert ranges(strict.plan(registers(0, 1, 3), {})) == [(0, 2), (3, 1)]


def test_tables_and_units_are_asked_apart():
    plan = TCP.plan([*registers(0), *registers(1, table="input"), *registers(1, unit=2)], {})
    assert len(plan.blocks) == 3


def test_bits_are_merged_up_to_their_own_limit():
    coils = registers(*range(600), table="coil")
    assert ranges(TCP.plan(coils, {})) == [(0, 512), (512, 88)]


def test_a_value_wider_than_the_limit_still_comes_whole():
    text = ModbusAddress(offset=0, type="string", length=200)
    assert ranges(RTU.plan([text, ModbusAddress(offset=99)], {})) == [(0, 100)]


address = st.builds(
    lambda offset, kind, unit: ModbusAddress(offset=offset, type=kind, unit=unit),
    st.integers(0, 400),
    st.sampled_from(["int16", "int32", "float64"]),
    st.integers(1, 2),
)
hole = st.tuples(st.integers(0, 400), st.integers(0, 3), st.just(2)).map(list)


@given(st.lists(address, min_size=1, max_size=60), st.lists(hole, max_size=5), st.integers(1, 125))
def test_every_value_is_in_exactly_one_request_and_whole(addresses, holes, limit):
    learnt = {"holes": {"1/holding": holes}, "limits": {"2/holding": limit}}
    plan = RTU.plan(addresses, learnt)
    blocks = [*plan.blocks, *(suspect.block for suspect in plan.queue if not suspect.is_trial)]
    asked = sorted(member.position for block in blocks for member in block.members)
    assert asked == list(range(len(addresses)))
    for block in blocks:
        request = block.request
        for member in block.members:
            assert member.address.unit == request.unit
            assert request.offset <= member.address.offset
            assert member.address.offset + member.address.cells <= request.offset + request.count
    for block in plan.blocks:
        request = block.request
        assert request.count <= 60
        assert request.unit == 1 or request.count <= max(limit, 4)
        for start, cells, _ in holes if request.unit == 1 else ():
            assert not (
                cells and start < request.offset + request.count and request.offset < start + cells
            )


def test_what_the_agent_kept_may_be_anything():
    for learnt in (
        {},
        {"holes": 3},
        {"holes": {"1/holding": [[1], "x", [1, 2, -3]]}},
        {"limits": {"a": "b"}},
    ):
        assert ranges(TCP.plan(registers(0, 1), learnt)) == [(0, 2)]


def test_a_hole_that_was_read_after_all_is_forgotten_in_part():
    knowledge = Knowledge({})
    knowledge.learn_hole(1, Table.HOLDING, Hole(10, 5, 2))
    knowledge.forget(Request(1, Table.HOLDING, 12, 1))
    assert knowledge.as_learnt()["holes"] == {"1/holding": [[10, 2, 2], [13, 2, 2]]}
    assert Knowledge(knowledge.as_learnt()).as_learnt() == knowledge.as_learnt()


def test_where_each_point_is_asked_alone_only_bits_of_one_register_share_a_request():
    alone = ModbusDriver(ModbusSettings(host="plc", one_request_per_point=True))
    wide = registers(4, type="float32")
    bits = [ModbusAddress(offset=9, bit=bit) for bit in range(16)]
    assert ranges(alone.plan([*registers(0, 1, 2), *wide, *bits], {})) == [
        (0, 1),
        (1, 1),
        (2, 1),
        (4, 2),
        (9, 1),
    ]


def test_the_first_request_for_coils_begins_at_zero_if_wanted():
    driver = ModbusDriver(ModbusSettings(host="plc", coils_from_zero=True))
    coils = registers(7, 9, 900, table="coil")
    assert ranges(driver.plan(coils, {})) == [(0, 10), (900, 1)]
    assert ranges(driver.plan(registers(7, table="discrete"), {})) == [(7, 1)]
    assert ranges(driver.plan(registers(7), {})) == [(7, 1)]
    assert ranges(driver.plan(registers(700, table="coil"), {})) == [(700, 1)]  # too far for one
    both = [*coils, *registers(3, table="coil", unit=2)]
    assert ranges(driver.plan(both, {})) == [(0, 10), (900, 1), (0, 4)]


def test_what_is_read_along_before_the_first_coil_is_nobodys_value():
    driver = ModbusDriver(ModbusSettings(host="plc", coils_from_zero=True))
    [block] = driver.plan(registers(9, 10, table="coil"), {}).blocks
    assert block.decode(bytes([0, 0b010])) == ([True, False], {})


@given(st.integers(0, 60), st.sampled_from(["int32", "uint64", "float64"]), st.integers(1, 16))
def test_halving_never_cuts_a_value(start, kind, number):
    width = ModbusAddress(offset=0, type=kind).cells
    addresses = registers(*range(start, start + number * width, width), type=kind)
    [block] = TCP.plan(addresses, {}).blocks
    pieces, whole = [block], []
    while pieces:
        halves = halve(pieces.pop())
        if halves:
            pieces += halves
        else:
            whole.append(1)
    assert len(whole) == number


def test_half_of_a_request_for_coils_that_begins_at_zero_still_does():
    driver = ModbusDriver(ModbusSettings(host="plc", coils_from_zero=True))
    [block] = driver.plan(registers(8, 9, table="coil"), {}).blocks
    first, second = (half.request for half in halve(block))
    assert (first.offset, first.count) == (0, 9)
    assert (second.offset, second.count) == (9, 1)


def test_learnt_limits_and_borders_are_put_to_the_test_by_one_request_a_table():
    learnt = {"limits": {"1/holding": 16}, "holes": {"1/input": [[3, 0, 2]]}}
    plan = TCP.plan([*registers(*range(40)), *registers(2, 3, table="input")], learnt)
    trials = [suspect for suspect in plan.queue if suspect.is_trial]
    assert [(t.request.table, t.request.offset, t.request.count) for t in trials] == [
        ("holding", 0, 40),
        ("input", 2, 2),
    ]
    assert ranges(plan) == [(0, 16), (16, 16), (32, 8), (2, 1), (3, 1)]


def test_ten_thousand_points_are_planned_quickly():
    addresses = registers(*range(10_000))
    assert len(RTU.plan(addresses, {}).blocks) == 167
