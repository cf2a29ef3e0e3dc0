"""How the wizard finds an OPC UA server: asked for its host alone, it looks at the usual ports."""

from typing import Any
from urllib.parse import urlsplit

from edge_agent.commissioning import (
    DEVICE_UNREADABLE,
    Back,
    Choice,
    Look,
    Question,
    Steps,
    Values,
    _,
    ask,
    look,
    menu,
    to_host,
    what_now,
)
from edge_agent_opcua import setup_looks as looks

HIGHEST_PORT = 65535


def find_server(id: str, pki: str) -> Steps[Values]:  # noqa: A002 - the word of Question
    """Ask where a server is until one has answered; give a survey's document of it."""
    host, port, url = yield from ask(_host(id))
    urls = [url] if url else looks.urls_of(host, port)
    seen = yield from look(
        Look(
            f"{id}.server.look",
            _("Asking {host} which OPC UA servers it has ...").format(host=host),
            lambda progress: looks.find_servers(urls, pki),
            untried={"servers": [_usual_server(urls[0])], "problems": {}},
        )
    )
    servers: list[Values] = seen["servers"]
    if not servers:
        yield from _none(id, host, seen["problems"])
    if len(servers) == 1:
        return servers[0]
    known = {server["url"]: server for server in servers}
    choices = [Choice(url, f"{name_of(server)}  ({url})") for url, server in known.items()]
    text = _("There are several servers. Which one?")
    why = _("Each program on that machine may have one. The name tells whose it is.")
    return known[
        (yield from ask(menu(f"{id}.server", text, choices, default=choices[0].word, why=why)))
    ]


def _usual_server(url: str) -> Values:
    """Suppose a server as most are, where questions are only listed."""
    users = [{"kind": kind, "policy": "Basic256Sha256"} for kind in ("anonymous", "username")]
    offer = {"url": url, "security": "encrypt", "policy": "Basic256Sha256", "users": users}
    return {"url": url, "applications": [], "endpoints": [offer]}


def name_of(server: Values) -> str:
    """Give what a server calls itself; its host where it says nothing."""
    own = urlsplit(server["url"])
    names = [
        application["name"]
        for application in server["applications"]
        if any(urlsplit(url).port == own.port for url in application["urls"])
    ]
    return next((name for name in names if name), str(own.hostname))


def _host(id: str) -> Question[tuple[str, int | None, str]]:  # noqa: A002
    return Question(
        id=f"{id}.host",
        text=_("The PLC's address in the network?"),
        parse=_to_place,
        example="192.168.1.20",
        why=_(
            "The PLC's project or its menu shows it as IP address. The usual ports are tried; "
            "another one goes behind it, as in 192.168.1.20:4841. A whole address such as "
            "opc.tcp://plc-7:4840/server is taken as it stands."
        ),
    )


def _to_place(answer: str) -> tuple[str, int | None, str]:
    """Read a host, with a port or not, or a whole url; give host, port and url."""
    if "://" in answer:
        return _of_url(answer)
    host, colon, port = answer.rpartition(":")
    if not colon or ":" in host:  # IPv6 is full of colons
        return to_host(answer), None, ""
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= HIGHEST_PORT):
        raise ValueError(
            _("{port!r} is no port; write a number from 1 to 65535.").format(port=port)
        )
    return to_host(host), int(port), ""


def _of_url(url: str) -> tuple[str, int | None, str]:
    parts = urlsplit(url)
    if parts.scheme != "opc.tcp" or not parts.hostname or "@" in parts.netloc:
        raise ValueError(_("Write the address as 192.168.1.20 or opc.tcp://192.168.1.20:4840."))
    return parts.hostname, parts.port, url if parts.path.strip("/") else ""


def _none(id: str, host: str, problems: dict[str, Any]) -> Steps[None]:  # noqa: A002
    """Say why there is no server, by what was seen, and what to do."""
    reasons = list(dict.fromkeys(problems.values()))
    facts = reasons[0] if len(reasons) == 1 else _nothing(host, problems)
    yield from what_now(
        f"{id}.server.trouble",
        _("No OPC UA server was found. What now?"),
        asked_again(id),
        facts=facts,
        exit_code=DEVICE_UNREADABLE,
        why=_(
            "Many PLCs have their OPC UA server switched off as delivered: it is a tick in the "
            "PLC's project, sometimes a licence."
        ),
    )


def asked_again(id: str) -> list[Back]:  # noqa: A002
    """Offer to ask the server again, or one somewhere else."""
    return [
        Back("again", _("ask again"), f"{id}.server.look"),
        Back("change", _("another address or port"), f"{id}.host"),
    ]


def _nothing(host: str, problems: dict[str, Any]) -> str:
    ports = ", ".join(str(urlsplit(url).port) for url in problems)
    return _(
        "{host} has no OPC UA server at the ports {ports}. Check in this order:\n"
        " 1. Is this the PLC's address? Is its cable in?\n"
        " 2. Is the OPC UA server switched on in its project?\n"
        " 3. Does the project name another port? Type it behind\n"
        "    the address: {host}:4841"
    ).format(host=host, ports=ports)
