"""Addresses mean what is written, or are refused with the thing to write instead."""

import pytest
from edge_agent_modbus import ModbusAddress
from pydantic import ValidationError


class Written(int):
    """A number as a YAML reader gives it that remembers how it was written."""

    text: str


def written(text: str, value: int) -> Written:
    number = Written(value)
    number.text = text
    return number


def says(**keys) -> str:
    """What is wrong with an address."""
    with pytest.raises(ValidationError) as caught:
        ModbusAddress.model_validate(keys)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("40108", "holding:107"),
        ("400108", "holding:107"),
        ("40001", "holding:0"),
        ("49999", "holding:9998"),
        ("465536", "holding:65535"),
        ("30001", "input:0"),
        ("365536", "input:65535"),
        ("10001", "discrete:0"),
        ("00001", "coil:0"),
        ("000020", "coil:19"),
        ("holding:107", "holding:107"),
        ("input:0x10", "input:16"),
        ("coil:5", "coil:5"),
        ("discrete:65535", "discrete:65535"),
        ("0x006B", "holding:107"),
        ("0x6b", "holding:107"),
        (40108, "holding:107"),
        (400108, "holding:107"),
        (30001, "input:0"),
        (written("0x006B", 107), "holding:107"),
        (written("00001", 1), "coil:0"),
    ],
)
def test_text_forms_mean_what_manuals_and_wires_mean(text, meaning):
    address = ModbusAddress.model_validate({"at": text})
    assert f"{address.table}:{address.offset}" == meaning


@pytest.mark.parametrize("bare", [107, "107", "0107", "1", written("0107", 107), 9999])
def test_a_short_number_asks_which_is_meant(bare):
    message = says(at=bare)
    number = int(bare)
    assert f'"{40000 + number}"' in message
    assert f"holding:{number}" in message


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("20001", "first digit"),
        ("40000", "40001"),
        ("465537", "behind the last"),
        ("holding:65536", "behind the last"),
        ("holdings:5", "holding:107"),
        ("0x10000", "holding:107"),
        ("", "holding:107"),
        (True, "holding:107"),
        (4.5, "holding:107"),
        (-40001, "holding:107"),
        ("4٠108", "holding:107"),
    ],
)
def test_what_means_nothing_is_refused_with_a_hint(wrong, hint):
    assert hint in says(at=wrong)


def test_other_keys_may_stand_beside_the_text():
    address = ModbusAddress.model_validate(
        {"unit": 7, "at": "30108", "type": "float32", "order": "CDAB"}
    )
    assert str(address) == "unit 7 input:107 float32 CDAB"


def test_text_and_keys_that_contradict_each_other_are_refused():
    assert "twice" in says(at="40108", offset=3)
    assert "input:107" in says(at="0x006B", table="input")


def test_types_are_filled_in_from_the_table():
    assert ModbusAddress(offset=1).type == "uint16"
    assert ModbusAddress(offset=1, bit=3).value_type() == "bool"
    assert ModbusAddress(offset=1, bit=3, width=4).value_type() == "uint16"
    assert ModbusAddress.model_validate({"at": "00001"}).value_type() == "bool"
    assert ModbusAddress(table="discrete", offset=1).type == "bool"


@pytest.mark.parametrize(
    ("keys", "hint"),
    [
        ({"type": "int16", "order": "CDAB"}, "leave `order` out"),
        ({"type": "int32", "order": "ABCDEFGH"}, "CDAB"),
        ({"type": "float64", "order": "CDAB"}, "GHEFCDAB"),
        ({"type": "int32", "order": "cdab"}, "CDAB"),
        ({"type": "string"}, "length"),
        ({"type": "string", "length": 251}, "250"),
        ({"type": "int32", "length": 2}, "leave `length` out"),
        ({"type": "mod10k", "length": 5}, "2, 3 or 4"),
        ({"bit": 16}, "15"),
        ({"bit": 12, "width": 5}, "15"),
        ({"width": 2}, "bit"),
        ({"bit": 1, "type": "int32"}, "bool"),
        ({"table": "coil", "type": "int16"}, "one bit"),
        ({"table": "coil", "bit": 3}, "one bit"),
        ({"offset": 65535, "type": "int32"}, "65535"),
        ({"offset": -1}, "greater"),
        ({"unit": 256}, "255"),
        ({"register": 1}, "Extra"),
        ({"table": "holdings"}, "holding"),
        ({"type": "int17"}, "int16"),
    ],
)
def test_keys_that_do_not_fit_are_refused_with_a_hint(keys, hint):
    assert hint in says(**{"offset": 1, **keys})


def test_equal_addresses_are_one_key():
    assert {ModbusAddress(offset=107), ModbusAddress.model_validate({"at": "40108"})} == {
        ModbusAddress(offset=107)
    }


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"unit": 7, "table": "input", "offset": 107, "type": "int16"}, "unit 7 input:107 int16"),
        ({"offset": 1, "bit": 3}, "unit 1 holding:1 bool bit 3"),
        ({"offset": 1, "bit": 3, "width": 4}, "unit 1 holding:1 uint16 bits 3-6"),
        ({"offset": 1, "type": "string", "length": 8}, "unit 1 holding:1 string x8"),
        (
            {"offset": 1, "type": "string", "length": 8, "charset": "gbk"},
            "unit 1 holding:1 string x8 gbk",
        ),
        (
            {"offset": 1, "exponent": {"offset": 84, "type": "int8l"}},
            "unit 1 holding:1 uint16 x 10^holding:84 int8l",
        ),
        ({"table": "coil", "offset": 1}, "unit 1 coil:1 bool"),
    ],
)
def test_people_read_an_address_as_one_line(keys, text):
    assert str(ModbusAddress(**keys)) == text


@pytest.mark.parametrize(
    ("keys", "hint"),
    [
        ({"offset": True}, "valid integer"),
        ({"offset": 7.0}, "valid integer"),
        ({"offset": "7"}, "valid integer"),
        ({"offset": -1}, "greater than or equal to 0"),
        ({"offset": 65536}, "less than or equal to 65535"),
        ({"offset": 10**30}, "less than or equal to 65535"),
        ({"offset": 1, "unit": True}, "valid integer"),
        ({"offset": 1, "unit": 256}, "255"),
        ({"offset": 1, "bit": True}, "valid integer"),
        ({"offset": 1, "length": True, "type": "string"}, "valid integer"),
        ({"offset": 1, "no_value": (True,)}, "valid number"),
        ({"offset": 1, "no_value": (float("nan"),)}, "finite"),
        ({"offset": 1, "charset": "gbk"}, "no charset"),
        ({"offset": 1, "type": "string", "length": 4, "charset": "big5"}, "gbk"),
        ({"offset": 1, "exponent": 84}, "holding:84"),
        ({"offset": 1, "exponent": {"offset": True}}, "valid integer"),
        ({"offset": 1, "exponent": "coil:3"}, "holding or input"),
        ({"offset": 1, "exponent": {"offset": 3, "type": "float32"}}, "int16"),
        ({"offset": 1, "exponent": "40085", "map": {"raw": (0, 1), "to": (0, 1)}}, "exclude"),
        ({"offset": 1, "type": "time_unix", "exponent": "40085"}, "no number"),
        ({"offset": 1, "type": "string", "length": 2, "no_value": (1,)}, "no number"),
        ({"offset": 1, "map": {"raw": (0, 0), "to": (0, 1)}}, "different"),
        ({"offset": 1, "map": {"raw": (0, 1), "to": (3, 3)}}, "every value would be that"),
        ({"offset": 1, "map": {"raw": (0, True), "to": (0, 1)}}, "valid number"),
        ({"offset": 1, "map": {"raw": (0, float("inf")), "to": (0, 1)}}, "finite"),
        ({"offset": 1, "map": {"raw": (0, 1), "to": (0, 1), "clamp": 1}}, "valid boolean"),
        ({"offset": 1, "map": {"raw": (0, 1), "to": (0, 1), "loop": "0-20mA"}}, "4-20mA"),
        ({"offset": 1, "table": "coil", "map": {"raw": (0, 1), "to": (0, 1)}}, "no map"),
        ({"offset": 1, "table": "coil", "bit": 0}, "no bit"),
        ({"offset": 1, "order": "CDAB"}, "no byte order"),
        ({"offset": 1, "type": "float32", "order": True}, "valid string"),
        ({"offset": 1, "type": "float32", "order": 4312}, "CDAB"),
    ],
)
def test_keys_that_mean_nothing_together_say_what_to_write(keys, hint):
    assert hint in says(**keys)


@pytest.mark.parametrize(
    ("point", "order"),
    [
        ({"offset": 1, "type": "float32"}, "CDAB"),
        ({"offset": 1, "type": "uint24"}, "CDAB"),
        ({"offset": 1, "type": "mod10k", "length": 2}, "CDAB"),
        ({"offset": 1, "type": "float32", "order": "ABCD"}, "ABCD"),
        ({"offset": 1}, ""),
        ({"offset": 1, "type": "int16"}, ""),
        ({"offset": 1, "bit": 3}, ""),
        ({"offset": 1, "type": "float64"}, ""),
        ({"offset": 1, "type": "string", "length": 4}, ""),
        ({"at": "coil:5"}, ""),
        ({"at": "30001", "type": "bytes", "length": 4}, ""),
    ],
)
def test_the_order_of_a_device_is_for_values_of_that_width(point, order):
    merged = ModbusAddress.merged({"unit": 7, "order": "CDAB"}, point)
    address = ModbusAddress.model_validate(merged)
    assert (address.unit, address.order) == (7, order)


def test_an_order_of_a_device_that_does_not_exist_is_not_passed_over():
    assert ModbusAddress.merged({"order": "CBAD"}, {"offset": 1})["order"] == "CBAD"


def test_an_address_tells_what_is_done_to_the_raw_value():
    keys = {"offset": 1, "type": "int16", "map": {"raw": (4000, 20000), "to": (0, 10)}}
    assert str(ModbusAddress.model_validate(keys)) == (
        "unit 1 holding:1 int16 (4000..20000 -> 0..10)"
    )
    keys = {"offset": 1, "type": "int16", "exponent": "40085"}
    address = ModbusAddress.model_validate(keys)
    assert str(address) == "unit 1 holding:1 int16 x 10^holding:84"
    assert address.value_type() == "float64"


@pytest.mark.parametrize("kind", ["uint64", "int64"])
def test_codes_that_mean_none_stay_exact_beyond_2_53(kind: str):
    address = ModbusAddress(offset=0, type=kind, no_value=(2**64 - 1,))
    assert (2**64 - 1 if kind == "uint64" else -1) in address.codes
    assert 2**64 - 2 not in address.codes
