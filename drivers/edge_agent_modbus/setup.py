"""The wizard's part for Modbus devices, on two wires or a network cable.

The link comes first, then the device: found by a search, told apart by its registers, compared with
its display. What a search has found stays with the link, for the next device on it.
"""

from collections.abc import Callable

from edge_agent.commissioning import (
    DEVICE_UNREADABLE,
    Choice,
    Draft,
    Home,
    Kind,
    Link,
    Look,
    Progress,
    Question,
    Rewind,
    Steps,
    Values,
    _,
    ask,
    list_steps,
    look,
    menu,
    points,
    profile_steps,
    same_again,
    whole,
)
from edge_agent_modbus.setup_evidence import of_network
from edge_agent_modbus.setup_line import unit_on_line
from edge_agent_modbus.setup_link import network, rs485
from edge_agent_modbus.setup_point import register
from edge_agent_modbus.setup_reach import UNITS, search_units
from edge_agent_modbus.setup_register import told_by_display
from edge_agent_modbus.setup_unit import (
    AGAIN,
    ALL,
    TYPE,
    all_set_up,
    choose,
    remember,
    subject_of,
    taken,
    unseen,
    waiting,
)

_LAST = 247  # MODBUS over Serial Line V1.02, 2.2


def kinds(home: Home) -> list[Kind]:
    """List the ways in which Modbus devices are connected."""

    def at_home(way: Callable[[str], Steps[Link]]) -> Callable[[str], Steps[Link]]:
        def link(id: str) -> Steps[Link]:  # noqa: A002 - the word of Question
            found = yield from way(id)
            found.memory["folder"] = home.folder
            return found

        return link

    wires, cable = _("RS-485, two wires (Modbus)"), _("Network cable (Modbus)")
    return [
        Kind("rs485", wires, "modbus", at_home(rs485), _on_wires, _again, waiting),
        Kind("network", cable, "modbus", at_home(network), _on_network, _again, waiting),
    ]


def _on_wires(id: str, link: Link) -> Steps[Draft]:  # noqa: A002
    found = yield from unit_on_line(id, link)
    return (yield from _device(id, link, found))


def _on_network(id: str, link: Link) -> Steps[Draft]:  # noqa: A002
    found = yield from _unit_in_network(id, link)
    return (yield from _device(id, link, found))


def _device(id: str, link: Link, found: Values) -> Steps[Draft]:  # noqa: A002
    """Set up a device that was found: by a profile, its display, a list, or value by value."""
    subject = subject_of(found, link)
    draft = yield from profile_steps(id, link, subject)
    if draft is not None:
        return draft
    how = yield from ask(
        menu(
            f"{id}.how",
            _("How shall its values be told?"),
            [
                Choice("display", _("by register and the number on its display")),
                Choice("file", _("by the maker's register list, as a file (CSV, Excel)")),
                Choice("list", _("value by value, address and type typed (for experts)")),
            ],
            default="display",
            why=_("All need the device's manual: it says which register holds which value."),
        )
    )
    if how == "file":
        return (yield from list_steps(id, link, subject))
    if how == "display":
        return (yield from told_by_display(id, link, found["unit"]))
    return (yield from points(id, link, register(found["unit"])))


def _unit_in_network(id: str, link: Link) -> Steps[Values]:  # noqa: A002
    """Find a device behind an address; what was found is remembered."""
    if "found" not in link.memory:
        yield from _search(f"{id}.scan", link, UNITS)
    while True:
        found: list[Values] = link.memory["found"]
        word = yield from ask(_who(id, link))
        if word.isdigit():
            return next(each for each in found if str(each["unit"]) == word)
        if word == TYPE:
            return unseen((yield from ask(_typed(id))))
        if word == AGAIN and link.memory["searched"] == f"{id}.scan":
            yield Rewind(f"{id}.scan")
        units = range(1, _LAST + 1) if word == ALL else UNITS
        yield from _search(f"{id}.scan.all" if word == ALL else f"{id}.scan", link, units)


def _who(id: str, link: Link) -> Question[str]:  # noqa: A002
    if waiting(link):
        return choose(id, link.memory["found"], link, more=_more())
    return all_set_up(id, link, _more()) if link.memory["found"] else _nobody(id, link)


def _more() -> list[Choice]:
    return [
        Choice(ALL, _("search all 247 ids")),
        Choice(TYPE, _("type its id (for experts)")),
    ]


def _search(look_id: str, link: Link, units: "range | tuple[int, ...]") -> Steps[None]:
    def run(progress: Progress) -> Values:
        return search_units(link.settings, units, progress)

    supposed = [unseen(unit) for unit in range(_LAST + 1)]  # whichever somebody means to choose
    untried = {"found": supposed, "heard": "", "stopped": False, "foreign": False}
    doing = _("Searching (read only, cannot change your machines); Ctrl-C stops it ...")
    seen: Values = yield from look(Look(look_id, doing, run, untried=untried, lasting=True))
    remember(link, seen["found"])
    link.memory |= {"heard": seen["heard"], "searched": look_id}


def _nobody(id: str, link: Link) -> Question[str]:  # noqa: A002
    return menu(
        f"{id}.trouble",
        _("No device was found here. Check in this order, then press Enter:"),
        [Choice(AGAIN, _("test again")), *_more()],
        default=AGAIN,
        facts=of_network(link.memory["heard"] or "silent").facts,
        remember=False,
        exit_code=DEVICE_UNREADABLE,
        why=_("Behind a gateway each device has its own number. The code helps on the phone."),
    )


def _typed(id: str) -> Question[int]:  # noqa: A002
    parse: Callable[[str], int] = whole(0, 255)
    return Question(
        id=f"{id}.unit_id",
        text=_("The device's number (unit id)?"),
        parse=parse,
        default="1",
        why=_("Also called slave id, station or Modbus address. New devices mostly have 1."),
    )


def _again(id: str, link: Link, device: Values) -> Steps[Draft]:  # noqa: A002
    """Set up the same device with the next number."""
    there = taken(link)
    found = [each["unit"] for each in link.memory.get("found", ()) if each["unit"] not in there]
    following = min(found, default=max(there, default=0) + 1)

    limits = (1, _LAST) if link.settings["transport"] in {"rtu", "ascii"} else (0, 255)

    def parse(answer: str) -> int:
        number: int = whole(*limits)(answer)
        if number in there:
            raise ValueError(_("Number {number} is set up already.").format(number=number))
        return number

    unit = yield from ask(
        Question(
            id=f"{id}.unit",
            text=_("The number (id) of the next one?"),
            parse=parse,
            default=str(following),
            why=_("Each device on a line has a number of its own, set in its menu."),
        )
    )
    known = next((one for one in link.memory.get("found", ()) if one["unit"] == unit), None)
    subject = subject_of(known or unseen(unit), link)
    return (yield from same_again(id, link, device, subject))
