"""The kinds of equipment the wizard knows: how each is reached and how its points are named.

A kind is three small flows. Another driver, a profile or a scan joins here and nowhere else.
"""

from collections.abc import Callable
from dataclasses import dataclass

from edge_agent.language import _
from edge_agent.setup.draft import Values
from edge_agent.setup.modbus import modbus_point, unit_address
from edge_agent.setup.modbus_link import network, rs485
from edge_agent.setup.opcua import opcua_link, opcua_point
from edge_agent.setup.question import Steps
from edge_agent.setup.serial_text import text_link, text_point

DEMO_WAVE = {"middle": 20.0, "amplitude": 5.0, "period": 60.0}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of equipment.

    Attributes:
        word: Its name in answers files, and of its connections.
        text: What people read in the menu.
        settings: Asks how the link is reached; gives a connection's settings.
        device: Asks for what all points of a device share; gives the device's address.
        point: Asks where one value lives, knowing the device's address and the connection's
            settings; gives its address.
    """

    word: str
    text: str
    driver: str
    settings: Callable[[str], Steps[Values]]
    device: Callable[[str], Steps[Values]]
    point: Callable[[str, Values, Values], Steps[Values]]


def kinds() -> list[Kind]:
    """List the kinds, in the order of the menu."""
    wires, cable = _("RS-485, two wires (Modbus)"), _("Network cable (Modbus)")
    text, demo = _("Scale or other device that sends text"), _("Nothing yet: a demo device")
    return [
        Kind("rs485", wires, "modbus", rs485, unit_address, modbus_point),
        Kind("network", cable, "modbus", network, unit_address, modbus_point),
        Kind("opcua", _("PLC with OPC UA"), "opcua", opcua_link, _nothing, opcua_point),
        Kind("serial", text, "serial", text_link, _nothing, text_point),
        Kind("demo", demo, "simulated", _nothing, _nothing, _demo_point),
    ]


def _nothing(id: str) -> Steps[Values]:  # noqa: A002 - the word of Question
    return {}
    yield  # a flow without a question is still a flow


def _demo_point(id: str, device_address: Values, settings: Values) -> Steps[Values]:  # noqa: A002
    return dict(DEMO_WAVE)
    yield  # a demo value needs no address
