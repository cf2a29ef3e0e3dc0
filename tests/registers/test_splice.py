"""Points go into a file that people keep by hand, and every other letter stays."""

import pytest
import yaml

from edge_agent.config import yamlfile
from edge_agent.registers.splice import NoPlace, with_device, with_points
from edge_agent.registers.yamltext import flow

POINTS = {"new": {"address": {"table": "input", "offset": 3}, "label": "新: 温度", "scale": 0.1}}
LINE = 'new: {address: {table: input, offset: 3}, label: "新: 温度", scale: 0.1}'

HEAD = """\
version: 1   # kept by hand
connections:
  - name: other
    devices: []
  - name: hall
    devices:
"""
BLOCK = """\
      - name: press     # the big one
        points:
          old: {address: "40001"}   # checked by Li

          # not this one:
          # spare: {address: "40002"}
          nested:
            address: {offset: 1}
            label: |
              two
              lines
        every: 1s
      - name: oven
        points: {}
# the end
"""


def test_a_point_is_a_line_below_the_last_one() -> None:
    text = HEAD + BLOCK
    changed = with_points(text, "hall", "press", POINTS)
    assert changed == text.replace(
        "              lines\n", f"              lines\n          {LINE}\n"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("      - {name: press, points: {a: 1}}\n", "points: {a: 1, NEW}}"),
        ("      - {name: press, points: {a: 1,}}\n", "points: {a: 1, NEW}}"),
        ("      - {name: press}\n", "{name: press, points: {NEW}}"),
        ("      - name: press\n        points: {}\n", "points: {NEW}\n"),
        ("      - name: press\n        points:\n", "        points:\n          NEW\n"),
        ("      - name: press\n        points: # none yet\n", "yet\n          NEW\n"),
        ("      - name: press\n", "press\n        points:\n          NEW\n"),
        ("      - name: press", "press\n        points:\n          NEW\n"),
        ("      - points:\n          a: 1\n        name: press\n", "a: 1\n          NEW\n"),
        (
            "      - name: press\r\n        points:\r\n          a: 1\r\n",
            "a: 1\r\n          NEW\r\n",
        ),
        (
            "      - name: press\n        points:\n          a:\n            - 1\n",
            "- 1\n          NEW",
        ),
    ],
)
def test_every_layout_keeps_its_own(before: str, after: str) -> None:
    changed = with_points(HEAD + before, "hall", "press", POINTS)
    assert after.replace("NEW", LINE) in changed
    assert changed.replace("\r\n", "\n").startswith(HEAD)


def test_what_is_there_stays_as_it_is() -> None:
    text = HEAD + BLOCK
    assert with_points(text, "hall", "press", {"old": {"address": {"offset": 9}}}) == text


def test_a_device_is_an_item_below_the_last_one() -> None:
    text = HEAD + BLOCK
    block = {"name": "fan", "address": {"unit": 3}, "points": POINTS}
    changed = with_device(text, "hall", block)
    assert changed == text.replace(
        "        points: {}\n",
        "        points: {}\n      - name: fan\n        address: {unit: 3}\n        points:\n"
        f"          {LINE}\n",
    )


@pytest.mark.parametrize(
    ("text", "device", "why"),
    [
        (HEAD + BLOCK, "pump", "no device 'pump'; there are: press, oven"),
        ("connections:\n  - name: hal\n", "press", "no connection 'hall'; there are: hal"),
        (
            HEAD + "      - {name: a, points: &p {x: 1}}\n      - {name: press, points: *p}\n",
            "press",
            "cannot be added to",
        ),
        (HEAD + "      - {name: press, points: ~}\n", "press", "cannot be added to"),
        ("a: [\n", "press", "."),
    ],
)
def test_what_cannot_be_changed_alone_is_refused(text: str, device: str, why: str) -> None:
    with pytest.raises(NoPlace, match=why):
        with_points(text, "hall", device, POINTS)


def test_devices_in_one_line_are_left_to_people() -> None:
    with pytest.raises(NoPlace, match="add the first one by hand"):
        with_device(HEAD + BLOCK, "other", {"name": "x", "points": {}})
    with pytest.raises(NoPlace, match="stand in one line"):
        with_device("connections: [{name: hall, devices: [{name: a}]}]", "hall", {"points": {}})


@pytest.mark.parametrize(
    "value",
    ["yes", "no", "1.5", "0x10", "null", "", "a: b", "#x", "- x", "Cel", "kW.h", "1/min", "{a}",
     'quo"te', "1s", "~", 1e-05, 0.1, 3, True, None, [1, "a"], {"a": {"b": "on"}}, "中文", "a\tb",
     "a\x85b", "a\u2028b", "\ufeffa", "a\x7fb"],
)  # fmt: skip
def test_values_are_written_so_that_every_reader_takes_them_for_the_same(value: object) -> None:
    text = f"v: {flow(value)}"
    assert yamlfile.parse(text).root == {"v": value}
    if value != 1e-05:  # which is a text to YAML 1.1, as all floats without a point are
        assert yaml.safe_load(text) == {"v": value}
