"""Nobody knows byte orders by name, so the wizard shows the value that each of them gives."""

import pytest

from edge_agent.setup.flow import setup
from edge_agent.setup.interview import Interview
from edge_agent.setup.session import home_of
from tests.rigs.holding_plc import Plc
from tests.rigs.interviews import BEGINNING

ANSWERS = {
    **BEGINNING,
    "device.1.kind": "network",
    "device.1.unit": "1",
    "device.1.profile": "other",
    "device.1.how": "list",
    "device.1.point.1.name": "volt",
    "device.1.point.1.address": "40001",
    "device.1.point.1.scale": "1",
    "device.1.point.1.unit": "V",
}


@pytest.mark.shows("P10.3")
@pytest.mark.parametrize(
    ("type_name", "registers", "values"),
    [
        ("uint32", [1, 2], {"ABCD": "65538", "CDAB": "131073"}),
        ("float32", [0x6666, 0x4367], {"CDAB": "231.4"}),
        ("uint64", [0, 0, 1, 2], {"ABCDEFGH": "65538"}),
    ],
)
def test_the_orders_of_a_value_are_shown_as_what_the_device_says_now(
    tmp_path, type_name, registers, values
):
    plc = Plc(registers + [0] * 8)
    config = tmp_path / "config.yaml"
    talk = Interview(setup(config, home_of(config)), ())
    answers = {
        **ANSWERS,
        "device.1.host": f"127.0.0.1:{plc.port}",
        "device.1.point.1.type": type_name,
    }
    while talk.question.id in answers:
        talk.answer(answers[talk.question.id])
    plc.stop()
    assert talk.question.id == "device.1.point.1.order"
    shown = {choice.word: choice.text for choice in talk.question.choices}
    assert len(shown) == 4
    for order, value in values.items():
        assert shown[order].split()[0] == value
