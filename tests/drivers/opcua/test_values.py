import math
from datetime import UTC, datetime

import pytest
from asyncua import ua
from edge_agent_opcua import faults
from edge_agent_opcua.clocks import Clocks
from edge_agent_opcua.units import UNECE, unit_of
from edge_agent_opcua.values import (
    BAD_WAITING_FOR_INITIAL_DATA,
    REFUSALS,
    Form,
    milliseconds,
    to_sample,
)

from edge_agent.driver import Flaw, Quality, Sample, Why

GOOD = 0


def test_the_status_codes_written_here_are_those_of_the_standard():
    assert {code: ua.StatusCode(code).name for code in REFUSALS} == REFUSALS
    assert ua.StatusCodes.BadWaitingForInitialData == BAD_WAITING_FOR_INITIAL_DATA
    for code in faults._ANSWERS:
        assert ua.StatusCode(code).name.startswith("Bad"), hex(code)
        assert ua.StatusCode(code).name != "Bad", hex(code)


@pytest.mark.parametrize(
    ("status", "flaw"),
    [
        (GOOD, None),
        (0x00300000, None),  # GoodClamped
        (0x00000480, None),  # good, with information bits (overflow)
        (0x40000000, Flaw(Quality.UNCERTAIN, Why.DEVICE_UNCERTAIN, "name")),
        (0x80000000, Flaw(Quality.BAD, Why.DEVICE_BAD, "name")),
        (0x80340000, Flaw(Quality.BAD, Why.REFUSED, "name")),
        (0x803404FF, Flaw(Quality.BAD, Why.REFUSED, "name")),
        (0x80320000, Flaw(Quality.BAD, Why.STARTING, "name")),
        (0xC0000000, Flaw(Quality.BAD, Why.DEVICE_BAD, "name")),  # reserved: treat as bad
    ],
)
def test_severity_decides_the_quality(status, flaw):
    value = None if flaw and flaw.quality is Quality.BAD else 5.0
    assert to_sample(5.0, status, "name", 1) == Sample(value, flaw, 1)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (True, True),
        (2**63, 2**63),
        (math.inf, math.inf),
        ("窑", "窑"),
        (b"\x01\x02\xff", "AQL/"),
        ("", ""),
        (datetime(2026, 2, 19, 12, 0, 0, 123999, tzinfo=UTC), "2026-02-19T12:00:00.123Z"),
        (datetime(2026, 2, 19), "2026-02-19T00:00:00.000Z"),  # noqa: DTZ001 - as older asyncua
    ],
)
def test_plain_values_pass(value, plain):
    sample = to_sample(value, GOOD, "", None)
    assert sample == Sample(plain)
    assert type(sample.value) is type(plain)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, Why.NO_VALUE),
        ([1.0], Why.DECODE_ERROR),
        ({"a": 1}, Why.DECODE_ERROR),
        ("a\udcff", Why.DECODE_ERROR),
    ],
)
def test_what_is_no_plain_value_is_bad_and_keeps_its_time(value, why):
    sample = to_sample(value, GOOD, "", 77)
    assert (sample.value, sample.flaw.quality, sample.flaw.why) == (None, Quality.BAD, why)
    assert sample.time == 77


def test_times_are_milliseconds_and_the_zero_of_opc_ua_is_no_time():
    assert milliseconds(datetime(2026, 2, 19, 12, tzinfo=UTC)) == 1771502400000
    assert milliseconds(datetime(2026, 2, 19, 12)) == 1771502400000  # noqa: DTZ001
    assert milliseconds(datetime(1601, 1, 1, tzinfo=UTC)) is None
    assert milliseconds(None) is None


HOUR = 3_600_000
NOW = 1_771_500_000_000


def test_the_time_of_a_value_that_does_not_change_is_old_and_right():
    clocks = Clocks()
    assert clocks.why_off("a", NOW - 24 * HOUR, NOW, NOW) == ""
    assert clocks.why_off("a", NOW - 24 * HOUR, NOW + HOUR, NOW + HOUR) == ""


def test_a_time_ahead_of_ours_is_off():
    assert "61 s ahead" in Clocks().why_off("a", NOW + 61_000, None, NOW)
    assert Clocks().why_off("a", NOW + 59_000, None, NOW) == ""


def test_a_change_that_is_older_than_the_last_look_comes_from_a_clock_that_is_behind():
    clocks = Clocks()
    clocks.why_off("a", NOW - 2 * HOUR, NOW, NOW)
    why = clocks.why_off("a", NOW - 2 * HOUR + 1000, NOW + 1000, NOW + 1000)
    assert "behind" in why
    assert clocks.why_off("a", NOW - 2 * HOUR + 1000, NOW + 5000, NOW + 5000) == why
    assert clocks.why_off("b", NOW - 2 * HOUR + 1000, NOW + 1000, NOW + 1000) == ""
    assert clocks.why_off("a", NOW + 9000, NOW + 9500, NOW + 9500) == ""


def test_changes_that_waited_for_a_broken_line_are_not_off():
    clocks = Clocks()
    clocks.why_off("a", NOW, NOW, NOW)
    late = NOW + HOUR
    for second in range(1, 600):
        then = NOW + second * 1000
        assert clocks.why_off("a", then, then, late) == ""


def test_a_server_whose_own_clock_is_off_makes_its_times_doubtful():
    clocks = Clocks()
    clocks.hear(NOW - HOUR, NOW)
    assert "3600 s behind" in clocks.why_off("a", NOW - HOUR, NOW - HOUR, NOW)
    assert clocks.why_off("b", NOW - 5_000, NOW - HOUR, NOW) == "", "its source knows better"
    clocks.hear(NOW, NOW)
    assert clocks.why_off("a", NOW - HOUR + 5_000, NOW - HOUR + 5_000, NOW) == ""


def info(code, shown="x", uri=UNECE):
    return {"NamespaceUri": uri, "UnitId": int.from_bytes(code.encode()), "DisplayName": shown}


@pytest.mark.parametrize(
    ("information", "unit"),
    [
        (info("CEL", "°C"), "Cel"),
        (info("KWH", "kW·h"), "kW.h"),
        (info("P1", "%"), "%"),
        (info("ZZZ", "widgets"), "widgets"),
        (info("CEL", "Grad", uri="urn:maker"), "Grad"),
        ({"NamespaceUri": UNECE, "UnitId": -1, "DisplayName": "bar"}, "bar"),
        (info("CEL") | {"DisplayName": None}, "Cel"),
        (None, ""),
        ("°C", ""),
    ],
)
def test_units_are_ucum_where_their_code_is_known(information, unit):
    assert unit_of(information) == unit


@pytest.mark.parametrize(
    ("value", "form", "sample"),
    [
        ([1, 2], Form((1,)), Sample(2)),
        ({"a": [1.5]}, Form(("a", 0)), Sample(1.5)),
        (2, Form(as_text=True, names={2: "Holding"}), Sample("Holding")),
        (7, Form(as_text=True, names={2: "Holding"}), Sample("7")),
        (True, Form(as_text=True), Sample(True)),
        ([1.0, math.nan], Form(as_text=True), Sample("[1.0,null]")),
        ({"t": datetime(2026, 2, 19, tzinfo=UTC), "b": b"\1"}, Form(as_text=True),
         Sample('{"t":"2026-02-19T00:00:00.000Z","b":"AQ=="}')),
    ],
)  # fmt: skip
def test_what_is_wanted_of_a_value_is_taken(value, form, sample):
    assert to_sample(value, GOOD, "", None, form) == sample


@pytest.mark.parametrize(
    ("value", "form", "why", "says"),
    [
        ([1], Form((1,)), Why.NO_VALUE, "has 1 now"),
        ({"a": None}, Form(("a",)), Why.NO_VALUE, "no value"),
        (5, Form(("a",)), Why.NO_VALUE, "single value"),
        (5, Form(as_text=True), Why.DECODE_ERROR, "remove `text`"),
        (["a\udcff"], Form(as_text=True), Why.DECODE_ERROR, "UTF-8"),
        (object(), Form(), Why.DECODE_ERROR, "object"),
    ],
)
def test_what_is_not_there_or_not_clear_is_bad_and_says_why(value, form, why, says):
    sample = to_sample(value, GOOD, "", 77, form)
    assert (sample.value, sample.flaw.why, sample.time) == (None, why, 77)
    assert says in sample.flaw.detail
