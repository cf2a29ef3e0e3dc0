"""Addresses are kept in little memory, and come back as they were."""

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings
from edge_agent_modbus.addresses import Addresses
from hypothesis import given
from hypothesis import strategies as st

DRIVER = ModbusDriver(ModbusSettings(host="plc"))

address = st.one_of(
    st.builds(
        ModbusAddress,
        unit=st.integers(0, 255),
        table=st.sampled_from(["holding", "input"]),
        offset=st.integers(0, 65531),
        type=st.sampled_from(["int16", "float32", "uint64"]),
        no_value=st.sampled_from([(), (65535,)]),
    ),
    st.builds(ModbusAddress, offset=st.integers(0, 9), bit=st.integers(0, 15)),
    st.builds(
        ModbusAddress,
        offset=st.integers(0, 9),
        exponent=st.sampled_from(["84", "85"]).map("holding:".__add__),
    ),
)


@given(st.lists(address, max_size=30))
def test_they_come_back_as_they_were(addresses):
    kept = Addresses(addresses)
    assert list(kept) == addresses
    assert [kept[at] for at in range(-len(addresses), 0)] == addresses
    assert kept[1:7:2] == addresses[1:7:2]
    assert kept == Addresses(addresses) == tuple(addresses)
    assert kept != Addresses([*addresses, ModbusAddress(offset=1)])
    with pytest.raises(IndexError):
        kept[len(addresses)]


def test_what_differs_only_in_its_offset_is_kept_once():
    kept = Addresses(ModbusAddress(offset=at, type="float32") for at in range(0, 1000, 2))
    assert len(kept._forms) == 1
    assert len(kept) == 500


def test_a_plan_is_made_of_them_and_can_be_made_again():
    addresses = [ModbusAddress(offset=at) for at in (9, 3, 4, 200)]
    plan = DRIVER.plan(addresses, {})
    again = DRIVER.plan(plan.addresses, {})
    assert [block.request for block in again.blocks] == [block.request for block in plan.blocks]
    assert [block.members for block in again.blocks] == [block.members for block in plan.blocks]
    assert sorted(member for block in again.blocks for member in block.members) == list(
        enumerate(addresses)
    )
