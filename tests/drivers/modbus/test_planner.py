"""Neighbours share a request, values stay whole, and holes are gone around."""

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings
from edge_agent_modbus.learnt import Hole, Knowledge
from edge_agent_modbus.pdu import Table
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
    blocks = [*plan.blocks, *(suspect.block for suspect in plan.suspects)]
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
    knowledge.forget_hole(1, Table.HOLDING, 12, 1)
    assert knowledge.as_learnt()["holes"] == {"1/holding": [[10, 2, 2], [13, 2, 2]]}
    assert Knowledge(knowledge.as_learnt()).as_learnt() == knowledge.as_learnt()


def test_ten_thousand_points_are_planned_quickly():
    addresses = registers(*range(10_000))
    assert len(RTU.plan(addresses, {}).blocks) == 167
