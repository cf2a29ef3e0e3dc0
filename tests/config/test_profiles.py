"""What a profile brings and how a device's own points lie over it."""

from collections.abc import Mapping
from typing import Any

from edge_agent.config import profiles, yamlfile
from edge_agent.config.findings import Findings
from edge_agent.config.places import Section, line_of

METER = {"power": {"address": {"offset": 52}, "unit": "W"}, "energy": {"address": {"offset": 342}}}


def find(name: str) -> Mapping[str, Any]:
    assert name == "meter"
    return METER


def expanded(device: str) -> Section:
    root = yamlfile.parse(f"connections:\n- devices:\n  - profile: meter\n{device}").root
    findings = Findings(root)
    profiles.expand(root, findings, find)
    assert findings.errors == []
    return root


def test_a_profile_brings_its_points() -> None:
    root = expanded("")
    assert root["connections"][0]["devices"][0]["points"] == METER


def test_own_points_add_to_a_profile_or_change_it_key_by_key() -> None:
    root = expanded("    points: {power: {address: {unit: 2}, unit: kW}, other: {}}\n")
    assert root["connections"][0]["devices"][0]["points"] == {
        "power": {"address": {"offset": 52, "unit": 2}, "unit": "kW"},
        "energy": {"address": {"offset": 342}},
        "other": {},
    }
    assert METER["power"]["unit"] == "W"


def test_what_a_profile_brings_has_the_line_that_names_it() -> None:
    root = expanded("    points:\n      power: {unit: kW}\n")
    points = ("connections", 0, "devices", 0, "points")
    assert line_of(root, (*points, "energy", "address")) == 3
    assert line_of(root, (*points, "power", "unit")) == 5
    assert line_of(root, (*points, "power", "address")) == 3


def test_points_of_a_wrong_kind_are_left_for_the_check_of_the_shape() -> None:
    root = expanded("    points: [1]\n")
    assert root["connections"][0]["devices"][0]["points"] == [1]
