"""`doctor --compare`: what has changed since the day of commissioning."""

import msgspec
import pytest

from edge_agent.report.comparison import compare
from edge_agent.report.model import Broker, Device, Gateway, Line, Profile, Report, Value

METER = Device(
    name="meter",
    connection="bus",
    driver="modbus",
    address={"unit": "1"},
    profile=Profile("eastron-sdm630", {"en": "Eastron SDM630"}, False),
    state="up",
    answer_ms=31.0,
    noticed={"reads": 1000, "answered": 999},
    values=[
        Value(point="voltage", v=231.4, q="good", unit="V"),
        Value(point="energy", v=18442.6, q="good", unit="kW.h"),
    ],
)
THEN = Report(
    made=1_780_000_000_000,
    gateway=Gateway(id="gw-1", site="hall", version="1.0", serial="100"),
    broker=Broker(host="broker", port=8883, tls=True),
    lines=[Line(name="bus", driver="modbus", settings={"baud": "9600", "parity": "even"})],
    devices=[METER],
)


def changed(thing, **changes):
    return msgspec.structs.replace(thing, **changes)


def meter(**changes):
    return changed(THEN, devices=[changed(METER, **changes)])


def value(index, **changes):
    values = list(METER.values)
    values[index] = changed(values[index], **changes)
    return meter(values=values)


SAME = [
    THEN,
    meter(answer_ms=45.0),  # the scheduler of a USB adapter, not the line
    meter(answer_ms=None),
    value(0, v=228.0),
    value(0, v=None, q="unread"),  # not due while we looked
    value(1, v=18443.0),
    meter(noticed={"reads": 10, "answered": 9}),  # too few to tell
    meter(noticed={"reads": 1000, "answered": 985}),  # 1.4 % more, on another day
    meter(state="starting"),
    meter(profile=Profile("eastron-sdm630", {"en": "as a later version calls it"}, True)),
]
CASES = [
    (changed(THEN, devices=[]), "D-COMPARE-GONE", "fail|warn"),
    (meter(state="silent", values=[]), "D-COMPARE-SILENT", "fail"),
    (value(0, v=None, q="bad", why="timeout"), "D-COMPARE-BAD", "fail"),
    (meter(values=METER.values[:1]), "D-COMPARE-GONE", "warn"),
    (meter(answer_ms=63.0), "D-COMPARE-SLOW", "warn"),
    (meter(noticed={"reads": 1000, "answered": 960}), "D-COMPARE-QUALITY", "warn"),
    (meter(address={"unit": "2"}), "D-COMPARE-CONFIG", "warn"),
    (meter(profile=None), "D-COMPARE-CONFIG", "warn"),
    (value(0, unit="mV"), "D-COMPARE-CONFIG", "warn"),
    (value(1, v=12.0), "D-COMPARE-COUNTER", "warn"),
    (
        changed(THEN, lines=[changed(THEN.lines[0], settings={"baud": "9600"})]),
        "D-COMPARE-CONFIG",
        "warn",
    ),
    (changed(THEN, broker=changed(THEN.broker, host="other")), "D-COMPARE-CONFIG", "warn"),
    (changed(THEN, gateway=changed(THEN.gateway, id="gw-2")), "D-COMPARE-OTHER", "warn"),
]


@pytest.mark.parametrize("now", SAME)
def test_what_does_not_matter_is_no_change(now):
    [only] = compare(THEN, now)
    assert (only.level, only.what) == ("ok", "nothing has changed since 2026-05-28 20:26 UTC")


@pytest.mark.parametrize(("now", "code", "levels"), CASES)
def test_each_change_has_its_code_and_a_next_step(now, code, levels):
    [only] = compare(THEN, now)
    assert only.code == code
    assert str(only.level) in levels
    assert only.action


def test_changes_that_need_no_hand_are_only_told():
    box = changed(THEN.gateway, version="1.1", serial="200")
    more = [METER, changed(METER, name="dryer")]
    found = compare(THEN, changed(THEN, gateway=box, devices=more))
    assert [(str(one.level), one.code) for one in found] == [("ok", "")] * 3


def test_what_was_bad_already_is_no_change():
    bad = value(0, v=None, q="bad", why="refused")
    assert compare(bad, bad)[0].level == "ok"


def test_a_report_that_somebody_changed_is_told_first():
    first, *_ = compare(THEN, THEN, is_intact=False)
    assert first.code == "D-COMPARE-ALTERED"


def test_names_of_many_points_do_not_fill_the_screen():
    many = [Value(point=f"p{index}", v=1.0, q="good") for index in range(40)]
    bad = [changed(one, v=None, q="bad", why="timeout") for one in many]
    [only] = compare(meter(values=many), meter(values=bad))
    assert only.what.endswith("p3 (timeout) and 36 more")
