"""What the wizard asks about devices: kind, the way there, name, number on the line, values."""

from typing import Any

from edge_agent import plugins
from edge_agent.errors import DriverUnavailable
from edge_agent.language import _
from edge_agent.setup.draft import Values, device_names, same_line
from edge_agent.setup.kinds import Kind, kinds
from edge_agent.setup.meaning import new_name, to_label
from edge_agent.setup.points import Place, points
from edge_agent.setup.question import Choice, Question, Rewind, Steps, ask, menu, one_of, optional

DONE = "done"
SAME = "same:"  # before the name of a connection that another device hangs on


def devices(document: Values) -> Steps[None]:
    """Ask for devices until there are no more."""
    number = 1
    while True:
        word = yield from ask(_kind(f"device.{number}", document))
        if word == DONE:
            return
        yield from _device(f"device.{number}", word, document)
        number += 1


def _kind(id: str, document: Values) -> Question[str]:  # noqa: A002 - the word of Question
    """Ask what is connected next; there must be one device at least."""
    choices = [Choice(kind.word, kind.text) for kind in kinds()]
    for connection in document["connections"]:
        text = _("another device on {name}, the same line").format(name=connection["name"])
        choices.append(Choice(SAME + connection["name"], text))
    if document["connections"]:
        choices.append(Choice(DONE, _("that is all")))
    return menu(
        f"{id}.kind",
        _("What do you connect next?") if document["connections"] else _("What do you connect?"),
        choices,
        default=DONE if document["connections"] else None,
        parse=_installed([choice.word for choice in choices]),
        remember=False,
        example="demo",
        why=_("Look at the cable: two thin wires on screws, or a network plug."),
    )


def _installed(words: list[str]) -> Any:
    """Accept a word whose driver can be loaded here."""
    drivers = {kind.word: kind.driver for kind in kinds()}

    def parse(answer: str) -> str:
        word = one_of(words)(answer)
        if word in drivers:
            try:
                plugins.load(drivers[word])
            except DriverUnavailable as error:
                raise ValueError(str(error)) from error
        return word

    return parse


def _device(id: str, word: str, document: Values) -> Steps[None]:  # noqa: A002
    kind, connection = yield from _way(id, word, document)
    address = yield from kind.device(id)
    device: Values = {
        "name": (yield from ask(_name(id, document))),
        "label": (yield from ask(_label(id))),
        "address": address,
        "every": (yield from ask(_every(id))),
        "points": {},
    }
    yield from points(id, Place(kind, connection, device))
    if connection not in document["connections"]:
        document["connections"].append(connection)
    connection["devices"].append({key: value for key, value in device.items() if value})


def _way(id: str, word: str, document: Values) -> Steps[tuple[Kind, Values]]:  # noqa: A002
    """Find the connection a device hangs on: a known one, or one that is asked for."""
    known = {connection["name"]: connection for connection in document["connections"]}
    if word.startswith(SAME):
        connection = known[word.removeprefix(SAME)]
        return _kind_of(connection), connection
    kind = next(kind for kind in kinds() if kind.word == word)
    settings = yield from kind.settings(id)
    shared = same_line(document, kind.driver, settings)
    if shared is None:
        return kind, _new_connection(kind, settings, len(known) + 1)
    if (shared["driver"], shared["settings"]) != (kind.driver, settings):
        yield from _one_line(id, shared, usable=shared["driver"] == kind.driver)
    return kind, shared


def _new_connection(kind: Kind, settings: Values, number: int) -> Values:
    return {
        "name": f"{kind.word}-{number}",
        "driver": kind.driver,
        "settings": settings,
        "devices": [],
    }


def _one_line(id: str, shared: Values, *, usable: bool) -> Steps[None]:  # noqa: A002
    """Explain that a line is set up already and differently; go on only if that is accepted."""
    choices = [Choice("change", _("I choose something else"))]
    if usable:
        choices.append(Choice("share", _("use it as it is set up")))
    choice = yield from ask(
        menu(
            f"{id}.shared",
            _("{name} uses this line already. What now?").format(name=shared["name"]),
            choices,
            default="change",
            facts=", ".join(f"{key} {value}" for key, value in shared["settings"].items()),
            remember=False,
            why=_("All devices on one line talk in the same way, at the same speed."),
        )
    )
    if choice == "change":
        yield Rewind(f"{id}.kind")


def _kind_of(connection: Values) -> Kind:
    word = connection["name"].rpartition("-")[0]
    return next(kind for kind in kinds() if kind.word == word)


def _name(id: str, document: Values) -> Question[str]:  # noqa: A002
    return Question(
        id=f"{id}.name",
        text=_("A short name for this device?"),
        parse=new_name(device_names(document)),
        example="press-1",
        why=_("Its readings are sent under this name. Small letters, digits, - and _."),
    )


def _label(id: str) -> Question[str]:  # noqa: A002
    return Question(
        id=f"{id}.label",
        text=_("What do people call it? (free text, - for nothing)"),
        parse=optional(to_label),
        default="",
        why=_("Shown to people beside the short name, in any language."),
    )


def _every(id: str) -> Question[str]:  # noqa: A002
    return menu(
        f"{id}.every",
        _("How often shall its values be read?"),
        [
            Choice("1s", _("every second")),
            Choice("5s", _("every 5 seconds")),
            Choice("10s", _("every 10 seconds")),
            Choice("60s", _("every minute")),
            Choice("200ms", _("5 times a second")),
        ],
        default="1s",
        why=_("Machines: every second. Temperatures and energy: 10 seconds or a minute."),
    )
