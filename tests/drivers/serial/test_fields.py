import pytest
from edge_agent_serial.fields import Field, make_fields
from edge_agent_serial.numbers import to_int, to_number
from edge_agent_serial.parsing import Absent, Unreadable
from pydantic import ValidationError

from edge_agent.driver import Why


def make(fields, **raw):
    made = {name: Field.model_validate(field) for name, field in fields.items()}
    return make_fields(made, raw)


@pytest.mark.parametrize(
    ("field", "raw", "value"),
    [
        ({"type": "number"}, "+  1.240", 1.24),
        ({"type": "number"}, 7, 7.0),
        ({"type": "int"}, " -12", -12),
        ({"type": "int"}, 12.0, 12),
        ({"type": "int", "base": 16}, "0A", 10),
        ({"type": "int", "base": 16, "signed": 16}, "FFFE", -2),
        ({"signed": 8}, 0x80, -128),
        ({"type": "int", "base": 16, "low_first": "bytes"}, "0100", 1),
        ({"type": "int", "base": 16, "low_first": "words"}, "00010002", 0x20001),
        ({"type": "float"}, "41C80000", 25.0),
        ({"type": "float", "low_first": "words"}, "000041c8", 25.0),
        ({"type": "float", "low_first": "bytes"}, "0000C841", 25.0),
        ({"type": "float"}, "4039000000000000", 25.0),
        ({"type": "bool"}, "1", True),
        ({"type": "text"}, " A ", "A"),
        ({}, "as it is", "as it is"),
        ({"bit": 3}, 0b1000, True),
        ({"bit": 3}, "8", True),
        ({"bit": 0, "base": 16}, "E", False),
        ({"bits": {"first": 1, "count": 2}}, 0b110, 3),
        ({"map": {"ST": True, "US": False}}, "US", False),
        ({"map": {"true": "yes"}}, True, "yes"),
        ({"strip": "[]", "type": "number"}, " [12.5] ", 12.5),
        ({"match": r"ERR +(\d+)"}, "Stat ERR 54", "54"),
        ({"match": r"ERR +(\d+)"}, "Stat High", None),
        ({"type": "number", "scale": 0.01, "decimals": 2}, "026", 0.26),
        ({"scale": 2}, 21, 42.0),
        ({"scale": 0.1}, 3, 0.3),
        ({"type": "number"}, "", None),
        ({"type": "number"}, None, None),
    ],
)
def test_raw_values_become_fields(field, raw, value):
    known, flaws = make({"x": field}, x=raw)
    assert known["x"] == value
    assert type(known["x"]) is type(value)
    assert not flaws


@pytest.mark.parametrize(
    ("field", "raw", "reason"),
    [
        ({"type": "number"}, "1,234.5", "is no number"),
        ({"type": "number"}, "nan", "is no number"),
        ({"type": "number"}, "1_0", "is no number"),
        ({"type": "int"}, "1.5", "is no int"),
        ({"type": "int"}, 1.5, "is no int"),
        ({"low_first": "bytes"}, "012", "no bytes in hex digits"),
        ({"low_first": "words"}, "012345", "no words in hex digits"),
        ({"low_first": "bytes"}, "0x12", "no bytes in hex digits"),
        ({"type": "float"}, "41C8000", "is no float"),
        ({"type": "float"}, "41C8000G", "is no float"),
        ({"type": "bool"}, "2", "is no bool"),
        ({"map": {"ST": True}}, "XX", "none of ST"),
        ({"bit": 1}, "x", "has no bits"),
        ({"scale": 2}, "x", "no number to scale"),
        ({"scale": {"by": "di", "table": {"00": 1}}}, 5, "no scale is known"),
        ({"each": 4}, "12345", "no pieces of 4"),
        ({"expression": "x / 0"}, 5, "division"),
        ({"null_if": "x < 'a'"}, 5, "not supported"),
        ({"expression": "x + 1"}, "1", "is no number"),
    ],
)
def test_what_cannot_be_read_is_no_value_and_says_why(field, raw, reason):
    known, flaws = make({"y" if "expression" in field else "x": field}, x=raw, di="99")
    name = "y" if "expression" in field else "x"
    assert known[name] is None
    assert flaws[name].why is Why.DECODE_ERROR
    assert reason in flaws[name].detail


@pytest.mark.parametrize("scale", [0, -0.0, {"by": "di", "table": {"00": 0.1, "01": 0}}])
def test_a_factor_that_makes_every_value_the_same_is_refused(scale):
    with pytest.raises(ValueError, match="a factor of 0 makes every value 0"):
        make({"x": {"scale": scale}}, x=5)


def test_fields_build_on_each_other_in_their_order():
    known, flaws = make(
        {
            "point": {"from": "swa", "bits": {"first": 0, "count": 3}},
            "weight": {"expression": "digits * 10 ** (2 - point)", "decimals": 6},
            "half": {"expression": "weight / 2"},
        },
        swa=0x2D,
        digits=567,
    )
    assert known["weight"] == 0.567
    assert known["half"] == 0.2835
    assert not flaws


def test_several_raw_values_are_joined():
    fields = {"weight": {"from": ["sign", "digits"], "type": "number"}}
    assert make(fields, sign="-", digits=" 12.5")[0]["weight"] == -12.5
    assert make(fields, sign=None, digits=None)[0]["weight"] is None
    assert make(fields, sign="-", digits=Unreadable("?"))[1]["weight"].detail == "?"


def test_a_calculation_with_a_missing_value_has_none_and_with_an_unreadable_one_says_so():
    fields = {"weight": {"expression": "digits * 2"}}
    assert make(fields, digits=None) == ({"digits": None, "weight": None}, {})
    assert make(fields, digits=Unreadable("?"))[1]["weight"].detail == "?"


def test_what_the_instrument_says_is_not_there_is_no_value():
    known, flaws = make({}, mode=Absent("the instrument says 'UNAVAILABLE'"))
    assert known == {"mode": None}
    assert flaws["mode"].why is Why.NO_VALUE


def test_a_text_is_cut_into_pieces():
    known, _ = make(
        {"word": {"from": "data", "each": 4, "type": "int", "base": 16}}, data="000A0258"
    )
    assert (known["word.0"], known["word.1"]) == (10, 600)


def test_pieces_are_numbered_from_what_was_asked_for_and_may_overlap():
    fields = {
        "word": {"from": "data", "each": 4, "number_from": "first", "base": 16, "type": "int"},
        "pair": {"from": "data", "each": 4, "wide": 8, "number_from": "first + 1"},
    }
    known, _ = make(fields, data="000A0258FFFF", first=100)
    assert {name: value for name, value in known.items() if "." in name} == {
        "word.100": 10,
        "word.101": 600,
        "word.102": 65535,
        "pair.101": "000A0258",
        "pair.102": "0258FFFF",
    }
    assert "no number" in make(fields, data="000A0258FFFF")[1]["word"].detail


def test_the_longest_beginning_decides_the_scale():
    fields = {"v": {"scale": {"by": "di", "table": {"02": 0.1, "0202": 0.001}}, "decimals": 6}}
    assert make(fields, v=4999, di="02020100")[0]["v"] == 4.999
    assert make(fields, v=1001, di="02010100")[0]["v"] == 100.1


def test_a_field_may_have_no_value_under_a_condition():
    fields = {"weight": {"type": "number", "null_if": "state == 'OL'"}}
    assert make(fields, weight="9999", state="OL") == ({"weight": None, "state": "OL"}, {})


@pytest.mark.parametrize(
    ("text", "number", "whole"),
    [
        ("12.5", 12.5, None),
        ("-12,5", -12.5, None),
        ("- 0.5", -0.5, None),
        (".5", 0.5, None),
        ("5.", 5.0, None),
        ("1.5E+3", 1500.0, None),
        ("007", 7.0, 7),
        ("+ 7", 7.0, 7),
        ("1 234", None, None),
        ("inf", None, None),
        ("0x10", None, None),
        ("１２", None, None),
        ("--1", None, None),
        ("", None, None),
        ("9" * 41, None, int("9" * 41)),
        ("1e9999", None, None),
    ],
)
def test_numbers_are_read_as_instruments_write_them_or_not_at_all(text, number, whole):
    assert to_number(text) == number
    assert to_int(text) == whole


@pytest.mark.parametrize(
    ("field", "advice"),
    [
        ({"from": "a", "expression": "a"}, "either from or expression"),
        ({"bit": 1, "bits": {"first": 0, "count": 1}}, "either bit or bits"),
        ({"match": "abc"}, "exactly one group"),
        ({"expression": "a.b"}, "not possible"),
        ({"typ": "int"}, "typ"),
    ],
)
def test_fields_that_cannot_work_are_refused_with_advice(field, advice):
    with pytest.raises(ValidationError, match=advice):
        Field.model_validate(field)
