"""The way out for experts: speed, parity and number of a device are typed, and tried at once."""

from collections.abc import Callable

from edge_agent.commissioning import (
    DEVICE_UNREADABLE,
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
    baud,
    look,
    menu,
    parity,
    whole,
)
from edge_agent_modbus.discovery import (
    LIKELY_UNITS,
    OTHER_UNITS,
    LineSetting,
)
from edge_agent_modbus.setup_evidence import NUMBER, of_line, other_number
from edge_agent_modbus.setup_listen import unable_line
from edge_agent_modbus.setup_search import as_values, search_line
from edge_agent_modbus.setup_unit import AGAIN, unseen

EVERYONE = LIKELY_UNITS + OTHER_UNITS


def typed(id: str, link: Link) -> Steps[Values | None]:  # noqa: A002
    """Ask for speed, parity and number, and look whether it is so."""
    speed = int((yield from ask(baud(id))))
    check = yield from ask(parity(id))
    parse: Callable[[str], int] = whole(1, 247)
    unit = yield from ask(
        Question(
            id=f"{id}.unit_id",
            text=_("The device's number on the line (unit id)?"),
            parse=parse,
            default="1",
            why=_("Also called slave id, station or Modbus address. New devices mostly have 1."),
        )
    )
    setting = LineSetting(speed, check)
    seen = yield from look(_look(id, link, setting, unit))
    if seen.get("problem"):
        yield from unable_line(id, seen["problem"], f"{id}.scan.typed")
    chosen = next((each for each in seen["found"] if each["unit"] == unit), None)
    if chosen is not None:
        return settled(link, chosen)
    choice = yield from ask(_not_there(id, unit, seen))
    if choice == AGAIN:
        yield Rewind(f"{id}.scan.typed")
    if choice == "change":
        yield Rewind(f"{id}.baud")
    if choice.isdigit():
        return settled(link, next(each for each in seen["found"] if str(each["unit"]) == choice))
    link.settings |= as_values(setting)
    return unseen(unit)


def _look(id: str, link: Link, setting: LineSetting, unit: int) -> Look:  # noqa: A002
    port = link.settings["port"]

    def run(progress: Progress) -> Values:
        first = search_line(port, [setting], [unit], progress, thorough=True)
        if first["found"] or first.get("problem") or first["foreign"] or first["stopped"]:
            return first
        others = [each for each in EVERYONE if each != unit]
        second = search_line(port, [setting], others, progress, thorough=False)
        return second if second["found"] else {**second, "heard": first["heard"]}

    return Look(
        f"{id}.scan.typed",
        _("Looking for number {unit} ...").format(unit=unit),
        run,
        untried={"found": [unseen(unit)], "heard": {}, "stopped": False, "foreign": False},
        lasting=True,
    )


def _not_there(id: str, unit: int, seen: Values) -> Question[str]:  # noqa: A002
    found = [each["unit"] for each in seen["found"]]
    tried = _("id {unit}").format(unit=unit)
    verdict = other_number(unit, found[0]) if found else of_line(seen["heard"], tried)
    choices = [Choice(str(each), _("take number {unit}").format(unit=each)) for each in found[:8]]
    choices += [
        Choice(AGAIN, _("test again")),
        Choice("change", _("change what I typed")),
        Choice("keep", _("keep it, the device will be there later")),
    ]
    return menu(
        f"{id}.typed.trouble",
        _("What now?"),
        choices,
        default=choices[0].word,
        facts=verdict.facts,
        remember=False,
        exit_code=DEVICE_UNREADABLE,
        why=_("{code} means that the number is set differently in the device.").format(code=NUMBER),
    )


def settled(link: Link, found: Values) -> Values:
    """Take over how the line is set."""
    link.settings |= found["setting"]
    return found
