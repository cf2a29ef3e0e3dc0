"""Differences of real configurations, in words."""

import copy
import json

import pytest

from edge_agent.site.difference import differences
from tests.site.conftest import gateway, meaning

AT_METER = ("connections", 0, "devices", 0)


def changed(document, place, value):
    document = copy.deepcopy(document)
    inside = document
    for key in place[:-1]:
        inside = inside[key]
    if value is None:
        del inside[place[-1]]
    else:
        inside[place[-1]] = value
    return document


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (("agent", "site"), "ningbo-1", ["agent: site changes from shaoxing-3/hall-2 to ningbo-1"]),
        (("mqtt", "url"), "mqtts://b:8883", ["mqtt: host changes from broker.example to b"]),
        (("mqtt", "username"), "x", ["mqtt: username changes"]),
        (("buffer", "flush"), "500ms", ["buffer: flush changes from 1 to 0.5"]),
        (
            ("connections", 0, "settings", "host"),
            "10.1.1.1",
            ["converter: host changes from 127.0.0.1 to 10.1.1.1"],
        ),
        (
            ("connections", 0, "name"),
            "other",
            [
                "converter: a connection that is no more",
                "other: a new connection",
                "meter-1: connection changes from converter to other",
            ],
        ),
        ((*AT_METER, "name"), "m", ["meter-1: a device that is no more", "m: a new device"]),
        ((*AT_METER, "label"), "", ["meter-1: label changes from 1号电表 to nothing"]),
        ((*AT_METER, "every"), "5s", ["meter-1.voltage_l1: every changes from 0.2 to 5"]),
        (
            (*AT_METER, "points", "voltage_l1", "scale"),
            0.1,
            ["meter-1.voltage_l1: scale changes from 1 to 0.1"],
        ),
        (
            (*AT_METER, "points", "voltage_l1", "deadband"),
            "2%",
            ["meter-1.voltage_l1: deadband changes from nothing to 2%"],
        ),
        (
            (*AT_METER, "points", "voltage_l1", "range"),
            [0, 400],
            ["meter-1.voltage_l1: range changes from nothing to 0, 400"],
        ),
        (
            (*AT_METER, "address", "unit"),
            9,
            [
                "meter-1.voltage_l1: address changes from unit 1 holding:0 float32 to unit 9 "
                "holding:0 float32"
            ],
        ),
        (
            (*AT_METER, "points", "more"),
            {"address": "holding:9"},
            ["meter-1.more: a new point"],
        ),
    ],
)
def test_each_change_is_said_once_and_where_it_is(tmp_path, place, value, told):
    before = gateway(tmp_path)
    old, new = (
        meaning(json.dumps(one), tmp_path) for one in (before, changed(before, place, value))
    )
    assert [str(one) for one in differences(old, new)] == told
    assert differences(old, old) == differences(new, new) == []


def test_what_changes_at_many_points_is_said_once(tmp_path):
    before = gateway(tmp_path)
    after = changed(before, ("connections", 1, "devices", 0, "address", "unit"), 12)
    old, new = (meaning(json.dumps(one), tmp_path) for one in (before, after))
    (found,) = differences(old, new)
    assert found.where == "sdm-2"
    assert found.what.startswith("at 11 points, such as sdm-2.voltage_l1: address changes from ")


def test_two_that_people_cannot_tell_apart_are_told_apart(tmp_path):
    before = gateway(tmp_path)
    place = (*AT_METER, "points", "voltage_l1", "scale")
    old, new = (
        meaning(json.dumps(changed(before, place, scale)), tmp_path)
        for scale in (0.12345678, 0.12345679)
    )
    (found,) = differences(old, new)
    assert found.what == "scale changes from 0.12345678 to 0.12345679"
