"""Whether a device is like that of the template: pure comparisons, and a real device read."""

import asyncio
import json
from pathlib import Path

import pytest

from edge_agent.config.library import Library
from edge_agent.config.profile import Profile
from edge_agent.driver import ConnectionLost
from edge_agent.site import looking
from edge_agent.site.fingerprint import compare, judge_signs, take, with_signs
from edge_agent.site.looking import _identities, compared, look
from edge_agent.site.looking import take as take_all
from edge_agent.site.making import Prepared
from edge_agent.site.template import DevicePrint, Template
from tests.rigs.agent_process import agent
from tests.rigs.holding_plc import Plc
from tests.rigs.until import until
from tests.site.conftest import floats, gateway, meaning

UNITS = {"voltage": "V", "energy": "kW.h"}
IN_KV = {**UNITS, "voltage": "kV"}
THERE = take(
    {"voltage": 231.4, "energy": 18442.6, "state": "run", "closed": True},
    UNITS,
    {"vendor": "Acme", "product_code": "PM-200", "application_name": "hall 2"},
)


def test_only_what_is_much_the_same_everywhere_is_kept():
    assert THERE.points["voltage"].seen == 231.4
    assert THERE.points["energy"].seen is None
    assert "application_name" not in THERE.identity


@pytest.mark.parametrize(
    ("values", "units", "identity", "told"),
    [
        ({"voltage": 228.0}, UNITS, {}, []),
        ({"voltage": 0.0}, UNITS, {}, []),  # switched off: nothing is known about its scale
        ({"voltage": 2314.0}, UNITS, {}, ["voltage: is 2314 V, and in the template 231.4: "]),
        ({"voltage": 400.0}, UNITS, {}, ["voltage: is 400 V, and in the template 231.4: "]),
        (
            {"voltage": 0.231},
            {**UNITS, "voltage": "kV"},
            {},
            ["voltage: is in kV, and in the template in V"],
        ),
        ({"voltage": "n/a"}, UNITS, {}, ["voltage: is a text, and in the template a number"]),
        ({"energy": 7.0}, UNITS, {}, []),
        ({"closed": 1}, UNITS, {}, ["closed: is a number, and in the template a switch"]),
        (
            {},
            UNITS,
            {"vendor": "Acme", "product_code": "PM-100"},
            [" says product_code PM-100, and the one of the template PM-200"],
        ),
        ({}, UNITS, {"vendor": "Acme"}, [" says product_code nothing, and the one of the"]),
    ],
)
def test_a_device_that_is_different_is_told(values, units, identity, told):
    alike = {"voltage": 231.4, "energy": 1.0, "state": "stop", "closed": False}
    here = take({**alike, **values}, units, identity)
    said = [str(one) for one in compare("m", THERE, here)]
    assert len(said) == len(told)
    for one, expected in zip(said, told, strict=True):
        assert expected in one


def test_a_point_without_a_value_is_told():
    here = take({"voltage": 230.0}, UNITS, {})
    said = [str(one) for one in compare("m", THERE, here)]
    assert "m.energy: gives no value, and did in the template" in said
    assert len(said) == 3


def profile(*signs: dict) -> Profile:
    known = Library().load("modbus", "eastron-sdm630").model_dump()
    return Profile.model_validate({**known, "recognise": list(signs)})


@pytest.mark.parametrize(
    ("sign", "value", "shown"),
    [
        ({"range": [80, 300]}, 231.4, True),
        ({"range": [80, 300]}, 12.0, False),
        ({"range": [80, 300]}, "text", False),
        ({"one_of": [112, 113]}, 113, True),
        ({"one_of": [112, 113]}, 114, False),
        ({"begins": "SDM"}, "SDM630", True),
        ({"begins": "SDM"}, "DTSU", False),
        ({"range": [80, 300]}, None, False),
    ],
)
def test_the_signs_of_a_profile(sign, value, shown):
    profiles = {"p": profile({"address": {"offset": 0}, **sign})}
    device = {"name": "m", "profile": "p"}
    document = {"connections": [{"devices": [device]}]}
    (name,) = with_signs(document, profiles)["connections"][0]["devices"][0]["points"]
    values = {"own": 1.0} if value is None else {name: value}
    said = list(judge_signs(device, profiles, values))
    assert bool(said) is not shown
    assert "points" not in device  # what is looked at is a copy


@pytest.fixture
def meter_here():
    """A meter that measures 400 V where that of the template measured 231.4 V."""
    plc = Plc(floats(400.0) + [0] * 100)
    yield plc
    plc.stop()


def test_a_real_device_is_taken_and_compared(tmp_path, meter, meter_here):
    there = alone(tmp_path, meter.port)
    prints = take_all(meaning(json.dumps(there)))
    assert prints["meter-1"].points["voltage_l1"].seen == 231.4
    assert "Pymodbus" in str(prints["meter-1"].identity)

    same = look(made(there, prints))
    assert same.differences == []
    assert same.compared == ["meter-1"]
    assert [one.good for one in same.results] == [1]

    here = alone(tmp_path, meter_here.port)
    here["connections"][0]["devices"][0]["profile"] = "eastron-sdm120"  # its sign is not there
    other = look(made(here, prints))
    told = "\n".join(map(str, other.differences))
    assert "meter-1.voltage_l1: is 400 V, and in the template 231.4" in told
    assert "meter-1: does not look like a eastron-sdm120" in told
    assert not [one.point for one in other.results[0].readings if one.point.startswith("sign")]


def test_a_device_that_is_not_read_is_not_compared(tmp_path):
    document = alone(tmp_path, 1)
    looked = look(made(document, {"meter-1": DevicePrint()}))
    assert looked.differences == looked.compared == []
    assert looked.results[0].state == "down"


def made(document: dict, there: dict[str, DevicePrint]) -> Prepared:
    """What a template with these fingerprints and some answers would have made."""
    template = Template(template=1, made_with="1", configuration=document, fingerprints=there)
    return Prepared(b"", document, meaning(json.dumps(document)), template, Path(), {}, [])


def alone(folder, port: int) -> dict:
    document = gateway(folder, port)
    return {**document, "connections": document["connections"][:1]}


@pytest.mark.thorough
async def test_what_a_running_agent_reads_slowly_is_not_missed(tmp_path, meter):
    document = alone(tmp_path, meter.port)
    (device,) = document["connections"][0]["devices"]
    slow = {"address": "holding:9", "every": "1h"}
    device["points"] |= {"slow": slow, "refused": {"address": "holding:5000"}}
    there = {
        "meter-1": take({"voltage_l1": 231.4, "slow": 1, "refused": 1}, {"voltage_l1": "V"}, {})
    }
    running = {key: value for key, value in document.items() if key not in {"version", "mqtt"}}
    config = {**running, "mqtt": {"url": "mqtt://127.0.0.1:1"}}
    async with agent(tmp_path, config) as process:
        await until(lambda: process.readings > 2)
        prepared = made({**document, "buffer": {"path": str(process.buffer)}}, there)
        found = await asyncio.to_thread(compared, prepared)
    assert [str(one) for one in found] == [
        "meter-1.refused: gives no value, and did in the template"
    ]


class Link:
    """What some devices say of themselves; with one of them it ends otherwise."""

    def __init__(self, of_the_second):
        self._of_the_second = of_the_second

    async def open(self):
        pass

    async def close(self):
        pass

    def plan(self, addresses, costs):
        return addresses[0].unit

    async def identify(self, unit):
        if unit == 2:
            await self._of_the_second()
        return {"vendor": f"Acme {unit}"}


async def is_silent():
    await asyncio.Event().wait()


async def is_lost():
    raise ConnectionLost("the cable was pulled")


@pytest.mark.parametrize(
    ("of_the_second", "known"), [(is_silent, ["m-1", "m-3"]), (is_lost, ["m-1"])]
)
async def test_what_a_device_says_of_itself_stays_whatever_comes_after_it(
    tmp_path, monkeypatch, of_the_second, known
):
    monkeypatch.setattr(looking, "IDENTIFY_SECONDS", 0.01)  # no time passes where one answers
    monkeypatch.setattr(looking, "make_driver", lambda name, settings: Link(of_the_second))
    document = alone(tmp_path, 1)
    (link,) = document["connections"]
    (meter,) = link["devices"]
    link["devices"] = [{**meter, "name": f"m-{n}", "address": {"unit": n}} for n in (1, 2, 3)]
    said = await _identities(meaning(json.dumps(document)), {"m-1", "m-2", "m-3"})
    assert said == {name: {"vendor": f"Acme {name[-1]}"} for name in known}
