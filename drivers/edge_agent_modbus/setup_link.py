"""What the wizard asks about the way to Modbus devices: which adapter, or which address."""

from collections.abc import Callable

from edge_agent.commissioning import (
    DEVICE_UNREADABLE,
    Back,
    Choice,
    Link,
    Look,
    Progress,
    Question,
    Rewind,
    Steps,
    Values,
    _,
    ask,
    look,
    menu,
    port_problem,
    serial_port,
    to_host,
    what_now,
    whole,
)
from edge_agent.language import count
from edge_agent_modbus.setup_evidence import of_network, of_port
from edge_agent_modbus.setup_reach import PORTS, approach, own_network, sweep

_SEARCH = "search"


def rs485(id: str) -> Steps[Link]:  # noqa: A002 - the word of Question
    """Ask for the adapter, if there are several; how the line is set is found out later."""
    question = serial_port(id)
    is_only = len(question.choices) == 1
    port = question.choices[0].word if is_only else (yield from ask(question))
    problem = yield from look(_port_look(id, port))
    if problem["fails"]:
        yield from _port_trouble(id, problem, is_only=is_only)
    return Link({"transport": "rtu", "port": port})


def _port_look(id: str, port: str) -> Look:  # noqa: A002
    def run(_progress: Progress) -> Values:
        return port_problem(port)

    return Look(
        f"{id}.port.look",
        _("Looking at {port} ...").format(port=port),
        run,
        untried={"code": "", "what": "", "action": "", "fails": False},
        lasting=True,  # else the search behind it would be made anew as well
    )


def _port_trouble(id: str, problem: Values, *, is_only: bool) -> Steps[None]:  # noqa: A002
    other = Back("port", _("choose another adapter"), f"{id}.port")
    yield from what_now(
        f"{id}.port.trouble",
        _("This adapter cannot be used so. What now?"),
        [
            Back("again", _("look again"), f"{id}.port.look"),
            Back("kind", _("connect something else"), f"{id}.kind") if is_only else other,
        ],
        facts=of_port(problem).facts,
        exit_code=DEVICE_UNREADABLE,
        why=_("Do what stands there, then look again. The code helps on the phone."),
    )


def network(id: str) -> Steps[Link]:  # noqa: A002
    """Ask for the address; port and framing are found out by trying."""
    wanted = yield from ask(_host(id))
    if wanted == _SEARCH:
        wanted = yield from _look_around(id)
    host, port = _parted(wanted)
    seen = yield from look(_approach_look(id, host, (port,) if port else PORTS))
    if seen["heard"]:
        settings = yield from _network_trouble(id, host, seen)
        return Link(settings)
    settings = {"transport": seen["transport"], "host": host, "port": seen["port"]}
    return Link(settings)


def _host(id: str) -> Question[str]:  # noqa: A002
    return Question(
        id=f"{id}.host",
        text=_("The address of the device in the network?"),
        parse=_to_place,
        choices=(Choice(_SEARCH, _("I do not know it: look around")),),
        example="192.168.1.10",
        why=_(
            "The device's menu or label shows it as IP address. A port may stand behind it, such "
            "as 192.168.1.10:8899; without one the usual ones are tried."
        ),
    )


def _to_place(answer: str) -> str:
    if answer != _SEARCH:
        host, _port = _parted(answer)
        to_host(host)
    return answer


def _parted(place: str) -> tuple[str, int]:
    """Part `host:port`; 0 where there is no port."""
    host, colon, port = place.rpartition(":")
    if not colon or ":" in host:
        return place, 0
    return host, whole(1, 65535)(port)


def _look_around(id: str) -> Steps[str]:  # noqa: A002
    """Ask before anything is sent to others, then look who is there."""
    network_known = yield from look(
        Look(
            f"{id}.network",
            _("Which network is this?"),
            lambda _progress: own_network(),
            untried="",
            lasting=True,
        )
    )
    if not network_known:
        yield from what_now(
            f"{id}.network.trouble",
            _("This gateway is in no network of its own. Type an address instead."),
            [Back("back", _("back to the address"), f"{id}.host")],
            default="back",
            why=_("Only networks such as 192.168.1.0 are looked through."),
        )
    yield from _consent(id, network_known)
    seen = yield from look(_sweep_look(id, network_known))
    places = [f"{host}:{port}" for host, port in seen["open"]]
    return (yield from _place(id, places))


def _consent(id: str, network_known: str) -> Steps[None]:  # noqa: A002
    choice = yield from ask(
        menu(
            f"{id}.consent",
            _("Shall every address of {network} be tried?").format(network=network_known),
            [Choice("yes", _("yes, it is ours")), Choice("no", _("no"))],
            default="no",
            facts=_(
                "That opens a connection to some ports of every address, and sends nothing. Some "
                "networks have watchmen who do not like it: ask whose network it is."
            ),
            why=_("It takes about half a minute. Ctrl-C stops it."),
        )
    )
    if choice == "no":
        yield Rewind(f"{id}.host")


def _sweep_look(id: str, network_known: str) -> Look:  # noqa: A002
    def run(progress: Progress) -> Values:
        return sweep(network_known, progress)

    return Look(
        f"{id}.sweep",
        _("Looking who answers in {network} ...").format(network=network_known),
        run,
        untried={"open": [], "stopped": False},
        lasting=True,
    )


def _place(id: str, places: list[str]) -> Steps[str]:  # noqa: A002
    return what_now(
        f"{id}.place",
        count(len(places), "{n} address accepts connections. Which is it?",
              "{n} addresses accept connections. Which is it?"),
        [
            *(Choice(place, place) for place in places),
            Back("again", _("look again"), f"{id}.sweep"),
            Back("type", _("type an address"), f"{id}.host"),
        ],
        default=places[0] if places else "again",
        why=_("502 is the port of Modbus devices; 8899, 4196, 26 and 23 are those of converters."),
    )  # fmt: skip


def _approach_look(id: str, host: str, ports: tuple[int, ...]) -> Look:  # noqa: A002
    def run(progress: Progress) -> Values:
        return approach(host, ports, progress)

    return Look(
        f"{id}.approach",
        _("Looking how {host} talks ...").format(host=host),
        run,
        untried={"port": ports[0], "transport": "tcp", "heard": ""},
        lasting=True,
    )


def _network_trouble(id: str, host: str, seen: Values) -> Steps[Values]:  # noqa: A002
    yield from what_now(
        f"{id}.network.trouble",
        _("Nobody talks at {host}. What now?").format(host=host),
        [
            Back("again", _("try again"), f"{id}.approach"),
            Back("host", _("another address"), f"{id}.host"),
            Choice("type", _("type the settings (for experts)")),
        ],
        facts=of_network(seen["heard"]).facts,
        exit_code=DEVICE_UNREADABLE,
        why=_("The code helps on the phone."),
    )
    port = yield from ask(_typed_port(id, seen["port"]))
    transport = yield from ask(_typed_transport(id))
    return {"transport": transport, "host": host, "port": port}


def _typed_port(id: str, port: int) -> Question[int]:  # noqa: A002
    parse: Callable[[str], int] = whole(1, 65535)
    return Question(
        id=f"{id}.tcp_port",
        text=_("Its port?"),
        parse=parse,
        default=str(port),
        why=_("Nearly all devices use 502. Converters often use another one."),
    )


def _typed_transport(id: str) -> Question[str]:  # noqa: A002
    return menu(
        f"{id}.transport",
        _("What is at the other end of the network cable?"),
        [
            Choice("tcp", _("the device itself, or a Modbus gateway")),
            Choice("rtu-over-tcp", _("a plain serial-to-network converter")),
            Choice("ascii-over-tcp", _("the same, for Modbus ASCII")),
        ],
        default="tcp",
        why=_("If the first gives no values, try the second: converters speak differently."),
    )
