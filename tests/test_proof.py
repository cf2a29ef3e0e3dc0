"""What must work before a new configuration may stay: pure decisions about real configurations."""

import json
from pathlib import Path
from typing import Any

import pytest

from edge_agent.config import Config, parse
from edge_agent.proof import Demand, demand, excuse_those_who_wait, judge


def config(every: str = "1s", *, host: str = "h", **devices: str) -> Config:
    """Devices behind one Modbus converter, each with the label given."""
    points = {"t": {"address": "40001"}}
    connections = [
        {
            "name": "line",
            "driver": "modbus",
            "settings": {"transport": "tcp", "host": host},
            "devices": [
                {"name": name, "label": label, "every": every, "points": points}
                for name, label in devices.items()
            ],
        }
    ]
    whole = {
        "version": 1,
        "agent": {"id": "gw", "site": "s"},
        "mqtt": {"url": "mqtt://h"},
        "connections": connections,
    }
    found = parse(json.dumps(whole), Path())
    assert found.config is not None, found.errors
    return found.config


def status(broker: str = "connected", **devices: tuple[str, int | None, str]) -> dict[str, Any]:
    return {
        "broker": {"state": broker, "why": "refused", "host": "h", "port": 1883},
        "devices": [
            {"device": name, "state": state, "last_good": good, "why": why}
            for name, (state, good, why) in devices.items()
        ],
    }


UP, SILENT = ("up", 1, ""), ("silent", None, "no answer")
LATELY, MUTE = ("silent", 1, "no answer"), ("up", None, "")


def nobody(name: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("new", "old", "before", "lenient"),
    [
        (config(a="", b=""), None, None, []),  # the first commissioning: all must work
        (config(a="", b=""), config(a=""), status(a=UP), []),
        (config(a="", b=""), config(a=""), status(a=SILENT), ["a"]),
        (config(a="", b=""), config(a=""), status(a=LATELY), ["a"]),
        (config(a="", b=""), config(a=""), status(a=MUTE), ["a"]),
        (config(a="new"), config(a="old"), status(a=SILENT), []),  # it is what was changed
        (config("2s", a=""), config(a=""), status(a=SILENT), []),
        (
            config(host="elsewhere", a=""),
            config(a=""),
            status(a=SILENT),
            [],
        ),  # it hangs elsewhere now
        (config(a=""), config(a=""), None, []),  # none ran, so nothing is known against it
        (config(a=""), config(a=""), status(), []),
    ],
)
def test_a_device_that_was_not_read_before_and_was_not_changed_is_excused(
    new, old, before, lenient
):
    demanded = demand(new, old, before, nobody)
    assert list(demanded.excused) == lenient
    assert set(demanded.devices) == {d.name for c in new.connections for d in c.devices}


def test_a_person_can_excuse_a_device_and_so_can_its_nature():
    demanded = demand(config(a="", b="", c=""), None, None, {"b"}.__contains__)
    demanded = excuse_those_who_wait(demanded, {"c": "scan a code"})
    assert demanded.excused == {
        "b": "excused by you",
        "c": "it gives a value only when somebody does: scan a code",
    }
    assert judge(demanded, status(a=UP, b=SILENT)).is_good
    assert not judge(demanded, status(a=SILENT, b=UP, c=UP)).is_good


@pytest.mark.parametrize(
    ("devices", "lacking", "why"),
    [
        ({"a": UP}, (), ""),
        ({"a": LATELY}, (), "no answer"),  # it gave one, and fell silent since
        ({"a": SILENT}, ("a",), "no answer"),
        ({"a": MUTE}, ("a",), "it answers, but gives no good value"),
        ({"a": ("starting", None, "")}, ("a",), "no answer"),
        ({}, ("a",), "the agent has not read it yet"),
    ],
)
def test_a_good_value_is_what_counts(devices, lacking, why):
    finding = judge(Demand(("a",), {}), status(**devices))
    assert (finding.lacking, finding.devices["a"]["why"]) == (lacking, why)


def test_a_broker_that_was_reached_must_be_reached_again():
    was, was_not = status(a=UP), status("waiting", a=UP)
    demanded = demand(config(a=""), config(a=""), was, nobody)
    assert demanded.broker
    assert judge(demanded, was).is_good
    assert judge(demanded, was_not).broker == "h:1883 refused"
    assert judge(demanded, None).broker == "the agent has not reached it yet"
    assert not demand(config(a=""), config(a=""), was_not, nobody).broker
    assert not demand(config(a=""), None, None, nobody).broker
