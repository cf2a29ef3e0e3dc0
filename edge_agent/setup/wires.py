"""Questions about a serial line that several drivers ask: which port, which speed, which check."""

from edge_agent.language import _
from edge_agent.ports import serial_ports
from edge_agent.setup.question import Choice, Question, menu

BAUD_RATES = ("9600", "19200", "38400", "115200", "4800", "2400", "57600")


def serial_port(id: str) -> Question[str]:  # noqa: A002 - the word of Question
    """Ask which serial port the wires are on."""
    ports = serial_ports()
    return Question(
        id=f"{id}.port",
        text=_("Which adapter are the wires on?"),
        facts="" if ports else _("No serial adapter was found. Is it plugged in?"),
        parse=_to_port,
        choices=tuple(Choice(port, port) for port in ports),
        default=ports[0] if ports else None,
        example="/dev/ttyUSB0",
        why=_(
            "A name under by-id or by-path stays the same when adapters are unplugged and plugged "
            "in again. You may also type another name, such as /dev/ttyUSB0."
        ),
    )


def _to_port(answer: str) -> str:
    if answer.startswith("/") and answer.isprintable():
        return answer
    raise ValueError(_("{answer!r} is no port; write one like /dev/ttyUSB0.").format(answer=answer))


def baud(id: str) -> Question[str]:  # noqa: A002
    """Ask for the speed of a serial line."""
    return menu(
        f"{id}.baud",
        _("How fast does the device talk (baud rate)?"),
        [Choice(rate, rate) for rate in BAUD_RATES],
        default=BAUD_RATES[0],
        why=_("The device's manual or its own menu shows it. 9600 is the most common."),
    )


def parity(id: str) -> Question[str]:  # noqa: A002
    """Ask for the check bit of a serial line."""
    return menu(
        f"{id}.parity",
        _("And its parity?"),
        [
            Choice("none", _("none   (often written 8N1)")),
            Choice("even", _("even   (often written 8E1)")),
            Choice("odd", _("odd    (often written 8O1)")),
        ],
        default="none",
        why=_("It stands beside the baud rate. Try none first, then even."),
    )
