"""Registers become the values they mean."""

import json
import math
import struct
from pathlib import Path
from random import Random

import pytest
from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.decode import compile_decoder
from edge_agent_modbus.layout import KINDS, NUMBER_ORDERS
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.driver import Why

VALUES = json.loads(Path(__file__).with_name("values.json").read_text())


def decode(registers, *addresses):
    data = struct.pack(f">{len(registers)}H", *registers)
    return compile_decoder(0, len(registers), addresses)(data)


@pytest.mark.parametrize("case", VALUES, ids=lambda case: case["name"])
def test_known_registers_have_known_values(case):
    values, flaws = decode(
        case["registers"], ModbusAddress.model_validate({"offset": 0, **case["address"]})
    )
    is_float = isinstance(case["value"], float)
    assert values == [pytest.approx(case["value"], rel=1e-5) if is_float else case["value"]]
    why = case.get("why", Why.DECODE_ERROR)
    assert [flaw.why for flaw in flaws.values()] == [why] * (case["value"] is None)


@pytest.mark.parametrize("name", ["int32", "uint32", "float32", "int64", "uint64", "float64"])
def test_every_order_says_how_the_bytes_arrive(name):
    kind = KINDS[name]
    value = 1.5 if name.startswith("float") else 0x0102030405060708 >> (64 - 16 * kind.registers)
    big = struct.pack(f">{kind.code}", value)
    for order in NUMBER_ORDERS[kind.registers]:
        wire = bytes(big[ord(letter) - ord("A")] for letter in order)
        address = ModbusAddress(offset=0, type=name, order=order)
        assert compile_decoder(0, kind.registers, [address])(wire)[0] == [value], order


def test_all_sixteen_bits_of_a_register_come_from_one_request():
    bits = [ModbusAddress(offset=0, bit=bit) for bit in range(16)]
    values, _ = decode([0b1000_0000_0000_0101], *bits)
    assert values == [True, False, True, *[False] * 12, True]


def test_two_types_may_share_registers_with_gaps_between():
    values, _ = decode(
        [0, 0x4048, 0xF5C3, 7, 0xFFFF],
        ModbusAddress(offset=1, type="float32"),
        ModbusAddress(offset=1, type="uint16"),
        ModbusAddress(offset=4, type="int16"),
    )
    assert values == [pytest.approx(3.14), 0x4048, -1]


def test_mixed_orders_of_one_block_are_each_their_own():
    registers = [1, 2, 1, 2, 1, 2, 1, 2, 9]
    orders = ["ABCD", "CDAB", "BADC", "DCBA"]
    addresses = [
        ModbusAddress(offset=2 * at, type="uint32", order=order) for at, order in enumerate(orders)
    ]
    values, _ = decode(registers, *addresses, ModbusAddress(offset=8))
    assert values == [0x00010002, 0x00020001, 0x01000200, 0x02000100, 9]


def test_nan_is_handed_on_for_the_agent_to_judge():
    values, flaws = decode([0x7FC0, 0], ModbusAddress(offset=0, type="float32"))
    assert math.isnan(values[0])
    assert not flaws


def test_one_value_that_means_nothing_spoils_no_other():
    values, flaws = decode(
        [0x1234, 0x12FA],
        ModbusAddress(offset=0, type="bcd16"),
        ModbusAddress(offset=1, type="bcd16"),
    )
    assert values == [1234, None]
    assert list(flaws) == [1]


def test_text_ends_at_nul_and_low_bytes_can_be_chosen():
    text = ModbusAddress(offset=0, type="string", length=6)
    low = ModbusAddress(offset=0, type="string", length=3, order="B")
    assert decode([0x4142, 0x4300, 0x4445], text)[0] == ["ABC"]
    assert decode([0x0041, 0x0042, 0x0043], low)[0] == ["ABC"]


def test_raw_bytes_come_as_hexadecimal_text():
    assert decode([0x0102, 0x03FF], ModbusAddress(offset=0, type="bytes", length=3))[0] == [
        "010203"
    ]


def test_bits_are_counted_from_the_lowest_of_the_first_byte():
    # V1.1b3, 6.1: 27 to 20 are 1100 1101, that is CD
    addresses = [ModbusAddress(table="coil", offset=19 + at) for at in range(8)]
    values, _ = compile_decoder(19, 19, addresses)(bytes.fromhex("CD6B05"))
    assert values == [True, False, True, True, False, False, True, True]


@given(st.integers())
def test_a_compiled_block_agrees_with_one_by_one(seed):
    random = Random(seed)
    data = random.randbytes(250)
    kinds = ["int16", "uint16", "int32", "float32", "uint64", "int48", "uint24"]
    addresses, offset = [], 0
    while offset < 115:
        name = random.choice(kinds)
        order = random.choice(("", *NUMBER_ORDERS[KINDS[name].registers]))
        addresses.append(ModbusAddress(offset=offset, type=name, order=order))
        offset += random.choice([0, addresses[-1].cells, addresses[-1].cells + 2])
    together, _ = compile_decoder(0, 125, addresses)(data)
    alone = [
        compile_decoder(a.offset, a.cells, [a])(data[2 * a.offset : 2 * (a.offset + a.cells)])[0][0]
        for a in addresses
    ]
    assert repr(together) == repr(alone)
