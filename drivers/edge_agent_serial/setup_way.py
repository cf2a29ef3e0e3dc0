"""How the wizard is told where an instrument is: an adapter of this gateway, or a converter."""

import asyncio

from edge_agent.commissioning import (
    Choice,
    Look,
    Question,
    Steps,
    Values,
    _,
    ask,
    look,
    menu,
    serial_port,
    to_host,
)

CONVERTERS = (4001, 23, 26, 4196, 8899, 10001, 2101)
"""Where converters listen as delivered: Moxa NPort, USR (first and second line), Waveshare, Elfin,
Lantronix, Digi."""
PATIENCE = 2.0
HIGHEST_PORT = 65535


def way(id: str) -> Steps[Values]:  # noqa: A002 - the word of Question
    """Ask where the instrument is; give `transport`, `port` and perhaps `host`."""
    transport = yield from ask(
        menu(
            f"{id}.transport",
            _("How is the instrument connected?"),
            [
                Choice("serial", _("to a serial port of this gateway")),
                Choice("tcp", _("to the network, directly or by a converter")),
            ],
            default="serial",
            why=_("Follow the cable: a plug with nine pins or screws, or a network plug."),
        )
    )
    if transport == "serial":
        return {"transport": "serial", "port": (yield from ask(serial_port(id)))}
    host, port = yield from ask(_host(id))
    if port is None:
        port = yield from _found_port(id, host)
    return {"transport": "tcp", "host": host, "port": port}


def _host(id: str) -> Question[tuple[str, int | None]]:  # noqa: A002
    return Question(
        id=f"{id}.host",
        text=_("Its address in the network?"),
        parse=_to_place,
        example="192.168.1.10",
        why=_(
            "The converter's label or menu shows it as IP address. If you know the port, write it "
            "behind: 192.168.1.10:4001."
        ),
    )


def _to_place(answer: str) -> tuple[str, int | None]:
    host, colon, port = answer.rpartition(":")
    if not colon or ":" in host:  # IPv6 is full of colons
        return to_host(answer), None
    return to_host(host), to_port(port)


def to_port(answer: str) -> int:
    """Read the number of a port."""
    if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= HIGHEST_PORT:
        return int(answer)
    raise ValueError(_("{port!r} is no port; write a number from 1 to 65535.").format(port=answer))


def _found_port(id: str, host: str) -> Steps[int]:  # noqa: A002
    """Look which of the usual ports are open; ask where that does not decide it."""
    seen = yield from look(
        Look(
            f"{id}.port.look",
            _("Trying the usual ports of converters at {host} ...").format(host=host),
            lambda progress: open_ports(host),
            untried=[],
            lasting=True,
        )
    )
    if len(seen) == 1:
        return int(seen[0])
    told = ", ".join(map(str, seen))
    port: int = yield from ask(
        Question(
            id=f"{id}.port",
            text=_("Which port is the instrument at?"),
            parse=to_port,
            facts=_("Open are: {ports}").format(ports=told) if seen else _nothing_open(host),
            default=str(seen[0]) if seen else None,
            findable=True,
            example="4001",
            why=_("The converter's own page shows it as local port or data port."),
        )
    )
    return port


def _nothing_open(host: str) -> str:
    return _(
        "{host} answers at none of the usual ports. Is it on, and its address right? A converter "
        "serves one program at a time: is another one connected?"
    ).format(host=host)


def open_ports(host: str) -> list[int]:
    """Tell which of the usual ports can be connected to; nothing is sent."""
    return asyncio.run(_open_ports(host))


async def _open_ports(host: str) -> list[int]:
    found = await asyncio.gather(*(_is_open(host, port) for port in CONVERTERS))
    return [port for port, is_open in zip(CONVERTERS, found, strict=True) if is_open]


async def _is_open(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            _reader, writer = await asyncio.open_connection(host, port)
    except OSError:  # TimeoutError is one
        return False
    writer.close()
    return True
