import math
import struct

import pytest
from edge_agent_serial.forms import FORMS
from edge_agent_serial.framing import Cut
from edge_agent_serial.parsing import Absent, Parse, Unreadable
from pydantic import TypeAdapter, ValidationError


def parse(parser, data, text=None):
    made = TypeAdapter(Parse).validate_python(parser)
    return made.parse(Cut(data, len(data)), data.decode("latin-1") if text is None else text)


@pytest.mark.parametrize(
    ("form", "octets", "value"),
    [
        ("uint", "01F4", 500),
        ("uintle", "F401", 500),
        ("int", "FFFE", -2),
        ("intle", "FEFF", -2),
        ("bcd", "001234", 1234),
        ("bcdle", "341200", 1234),
        ("bcd", "00A1", None),
        ("signedbcd", "802512", -2512),
        ("signedbcdle", "122500", 2512),
        ("signedbcdle", "122580", -2512),
        ("signedbcd", "FF12", None),
        ("bits", "0580", "1010000000000001"),
        ("digits", b"000567".hex(), 567),
        ("digits", b"   567".hex(), 567),
        ("digits", b"+ 12.5".hex(), 12.5),
        ("digits", b"-12,50".hex(), -12.5),
        ("digits", b"      ".hex(), None),
        ("digits", b"12-345".hex(), None),
        ("digits", "B2B3", None),
        ("float", struct.pack(">f", 1.5).hex(), 1.5),
        ("floatle", struct.pack("<d", -2.25).hex(), -2.25),
        ("float", struct.pack(">f", math.nan).hex(), None),
        ("float", struct.pack(">f", math.inf).hex(), None),
        ("float", "000000", None),
        ("ascii", b" AB \x00".hex(), "AB"),
        ("ascii", "C3A4", None),
        ("hex", "0a1B", "0A1B"),
        ("hexle", "000100", "000100"),
        ("bcdtextle", "610100000000", "000000000161"),
        ("bcdtext", "0161", "0161"),
        ("bcdtext", "AA", None),
    ],
)
def test_bytes_become_values_or_nothing(form, octets, value):
    made = FORMS[form](bytes.fromhex(octets))
    assert made == value
    assert type(made) is type(value)


LAYOUT = {
    "kind": "bytes",
    "layout": [
        {"name": "id", "at": 1, "size": 2, "form": "uint"},
        {"name": "rest", "at": 3, "to": -1, "form": "bcdle", "optional": True},
    ],
}


def test_a_layout_cuts_values_out_of_the_whole_frame():
    assert parse(LAYOUT, bytes.fromhex("68 0001 2301 16")) == {"id": 1, "rest": 123}


def test_what_is_optional_may_be_missing_and_nothing_else():
    assert parse(LAYOUT, bytes.fromhex("68 0001 16")) == {"id": 1, "rest": None}
    assert parse(LAYOUT, b"\x68\x00") is None


def test_what_is_there_and_cannot_be_read_is_told_from_what_is_missing():
    raw = parse(LAYOUT, bytes.fromhex("68 0001 AA 16"))
    assert isinstance(raw["rest"], Unreadable)
    assert "aa is no bcdle" in raw["rest"]


def test_a_layout_may_be_for_some_frames_only():
    only = LAYOUT | {"when": [{"at": 0, "bytes": "hex:69"}]}
    assert parse(only, bytes.fromhex("68 0001 2301 16")) is None
    assert parse(only, bytes.fromhex("69 0001 2301 16"))["id"] == 1


def test_the_first_pattern_that_fits_the_whole_text_names_the_values():
    both = {"kind": "regex", "patterns": [r"(?P<a>\d+)", r"(?P<b>[A-Z]+)"]}
    assert parse(both, b"12") == {"a": "12", "b": None}
    assert parse(both, b"AB") == {"a": None, "b": "AB"}
    assert parse(both, b"12 ") is None


def test_a_text_too_long_for_patterns_is_not_understood():
    assert parse({"kind": "regex", "patterns": ["(?P<a>x*)"]}, b"x" * 257) is None


# a meter's read-out, captured: two data sets in one line
ROW = r"(?P<key>[0-9:.]+)\((?P<value>[^()*]*)(?:\*(?P<unit>[^()*]*))?\)"


def test_rows_of_a_table_are_fields():
    table = {"kind": "table", "row": ROW}
    assert parse(table, b"3:14(314*kWh)4:15(415*kWh)\r\n!\r\n0.0(12)\r\n") == {
        "3:14": "314",
        "3:14.unit": "kWh",
        "4:15": "415",
        "4:15.unit": "kWh",
        "0.0": "12",
    }
    assert parse(table, b"!\r\n") is None


def test_a_row_that_stands_twice_with_two_values_is_none():
    raw = parse({"kind": "table", "row": ROW}, b"1.8(5)\r\n1.8(6)\r\n2.8(7)\r\n2.8(7)\r\n")
    assert isinstance(raw["1.8"], Unreadable)
    assert raw["2.8"] == "7"


def test_pairs_are_fields():
    pairs = {"kind": "pairs", "separator": "|", "first": "time", "skip": r"^\*"}
    assert parse(pairs, b"2024-01-15T10:23:45.001Z|S1speed|3500.0|mode|AUTOMATIC") == {
        "time": "2024-01-15T10:23:45.001Z",
        "S1speed": "3500.0",
        "mode": "AUTOMATIC",
    }
    none = parse(pairs | {"no_value": ["UNAVAILABLE"]}, b"t|mode|UNAVAILABLE|x|1")
    assert isinstance(none["mode"], Absent)
    assert none["x"] == "1"
    assert parse(pairs, b"* PONG 10000") == {}
    assert parse(pairs, b"2024-01-15T10:23:45.001Z|S1speed") is None
    assert parse(pairs, b"nothing") is None


@pytest.mark.parametrize(
    ("parser", "advice"),
    [
        ({"kind": "regex", "patterns": []}, "at least 1"),
        ({"kind": "regex", "patterns": [r"(?P<a>\d+)+"]}, "forever"),
        ({"kind": "table", "row": r"(?P<key>\d+)"}, "needs the groups"),
        ({"kind": "bytes", "layout": [{"name": "a", "at": 0}]}, "either size or to"),
        ({"kind": "bytes", "layout": [{"name": "1a", "at": 0, "size": 1}]}, "no name"),
        ({"kind": "pairs", "separator": "|", "skip": "(a+)+"}, "forever"),
    ],
)
def test_parsers_that_cannot_work_are_refused_with_advice(parser, advice):
    with pytest.raises(ValidationError, match=advice):
        TypeAdapter(Parse).validate_python(parser)
