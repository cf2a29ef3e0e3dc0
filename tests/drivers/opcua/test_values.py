import math
from datetime import UTC, datetime

import pytest
from asyncua import ua
from edge_agent_opcua import faults
from edge_agent_opcua.values import BAD_WAITING_FOR_INITIAL_DATA, REFUSALS, milliseconds, to_sample

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
        (b"x", Why.DECODE_ERROR),
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
