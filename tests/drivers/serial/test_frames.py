import pytest
from edge_agent_serial import SerialAddress, SerialSettings
from edge_agent_serial.engine import Engine
from edge_agent_serial.frames import Frame
from edge_agent_serial.samples import to_sample

from edge_agent.driver import Flaw, Quality, Sample, Why

# lines in the A&D format
SCALE = SerialSettings(
    transport="serial",
    port="/dev/ttyUSB0",
    pattern=r"(?P<state>ST|US),(?P<kind>GS|NT),(?P<weight>[+-][ \d.,]+)(?P<unit>[a-z]*)",
    bad_when={"overload": "^OL"},
    uncertain_when={"dynamic": "^US"},
)
WEIGHT = SerialAddress(field="weight")


def read(line, address=WEIGHT):
    frames = Engine(SCALE.used_recipe).feed(line + b"\r\n")
    return to_sample(address, frames[0], "number") if frames else None


def test_fields_of_a_line_are_values():
    line = b"ST,GS,+  1.240kg"
    assert read(line) == Sample(1.24)
    assert read(line, SerialAddress(field="unit", type="text")) == Sample("kg")


def test_a_moving_weight_is_never_good():
    sample = read(b"US,GS,+  1.240kg")
    assert sample == Sample(1.24, Flaw(Quality.UNCERTAIN, Why.DYNAMIC, "'US,GS,+  1.240kg'"))


def test_an_overload_is_no_value():
    assert read(b"OL,GS,+9999999") == Sample(
        None, Flaw(Quality.BAD, Why.OVERLOAD, "'OL,GS,+9999999'")
    )


@pytest.mark.parametrize(
    "line", [b"T,GS,+  1.240kg", b"ST,GS,+  1.240kg!", b"\xff\xfe", b"ST,GS,+  1.2\xb040kg", b"ERR"]
)
def test_a_line_that_does_not_match_as_a_whole_is_none(line):
    assert read(line) is None


def test_an_empty_field_is_no_value():
    assert read(b"ST,GS,+1", SerialAddress(field="unit", type="text")).flaw.why is Why.NO_VALUE


def test_an_unknown_field_is_refused_and_the_known_ones_are_named():
    flaw = read(b"ST,GS,+1", SerialAddress(field="tare")).flaw
    assert flaw.why is Why.REFUSED
    assert "kind, state, unit, weight" in flaw.detail


def test_an_unknown_field_is_refused_even_in_an_overload():
    assert read(b"OL", SerialAddress(field="tare")).flaw.why is Why.REFUSED


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("12.5", "number", 12.5),
        ("+  1.240", "number", 1.24),
        ("-12,5", "number", -12.5),
        ("- 0.5", "number", -0.5),
        (".5", "number", 0.5),
        ("5.", "number", 5.0),
        ("1.5E+3", "number", 1500.0),
        ("007", "int", 7),
        ("-12", "int", -12),
        (" A 1 ", "text", "A 1"),
        ("1,234.5", "number", None),
        ("1.2.3", "number", None),
        ("1 234", "number", None),
        ("nan", "number", None),
        ("inf", "number", None),
        ("1_0", "number", None),
        ("0x10", "number", None),
        ("１２", "number", None),
        ("--1", "number", None),
        ("1.0", "int", None),
    ],
)
def test_a_number_is_read_as_instruments_write_it_or_not_at_all(text, kind, value):
    sample = to_sample(SerialAddress(field="x", type=kind), Frame({"x": text}))
    assert sample.value == value
    assert type(sample.value) is type(value)
    if value is None:
        assert sample.flaw.why is Why.DECODE_ERROR
