"""What the wizard asks about the way to a Modbus device: a serial line or the network."""

from edge_agent.language import _
from edge_agent.ports import serial_ports
from edge_agent.setup.draft import Values
from edge_agent.setup.meaning import to_host, whole
from edge_agent.setup.question import Choice, Question, Steps, ask, menu

DEFAULT_PORT = 502  # Source: MODBUS Messaging on TCP/IP V1.0b, 3.1.3
BAUD_RATES = ("9600", "19200", "38400", "115200", "4800", "2400", "57600")


def rs485(id: str) -> Steps[Values]:  # noqa: A002 - the word of Question
    """Ask for a serial line: adapter, speed, parity."""
    port = yield from ask(serial_port(id))
    speed = int((yield from ask(baud(id))))
    check = yield from ask(parity(id))
    return {"transport": "rtu", "port": port, "baud": speed, "parity": check}


def serial_port(id: str) -> Question[str]:  # noqa: A002
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


def network(id: str) -> Steps[Values]:  # noqa: A002
    """Ask for a device in the network: what it is, address, port."""
    transport = yield from ask(
        menu(
            f"{id}.transport",
            _("What is at the other end of the network cable?"),
            [
                Choice("tcp", _("the device itself, or a Modbus gateway")),
                Choice("rtu-over-tcp", _("a plain serial-to-network converter")),
            ],
            default="tcp",
            why=_("If the first gives no values, try the second: converters speak differently."),
        )
    )
    host = yield from ask(
        Question(
            id=f"{id}.host",
            text=_("Its address in the network?"),
            parse=to_host,
            example="192.168.1.10",
            why=_("The device's menu or label shows it as IP address."),
        )
    )
    port = yield from ask(
        Question(
            id=f"{id}.port",
            text=_("Its port?"),
            parse=whole(1, 65535),
            default=str(DEFAULT_PORT),
            why=_("Nearly all devices use 502. Converters often use another one."),
        )
    )
    return {"transport": transport, "host": host, "port": port}
