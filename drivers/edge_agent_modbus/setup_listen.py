"""Before a word is said on a serial line the wizard listens to it (S5).

Where another master is heard, somebody decides: listen only, unplug it, or stop.
"""

from edge_agent.commissioning import (
    DEVICE_UNREADABLE,
    Back,
    Choice,
    Link,
    Look,
    Progress,
    Steps,
    Values,
    _,
    ask,
    look,
    menu,
    what_now,
)
from edge_agent_modbus.faults import Fault
from edge_agent_modbus.setup_evidence import of_port
from edge_agent_modbus.setup_search import as_setting, listen_first
from edge_agent_modbus.setup_unit import AGAIN, taken, unseen


def listen(id: str, link: Link) -> Steps[Values | None]:  # noqa: A002
    """Listen before a word is said; give what was heard where somebody wants only to listen on."""
    port = link.settings["port"]

    def run(progress: Progress) -> Values:
        heard = listen_first(port, progress)
        if not heard.get("problem") and not heard["traffic"]:
            progress.say(_("Nothing heard. Good: we may talk."))
        return heard

    untried = {"traffic": False, "units": [], "asked": [], "setting": None}
    link.memory["listened"] = id
    doing = _("Listening on the RS-485 wires for 3 seconds ...")
    heard: Values = yield from look(Look(f"{id}.listen", doing, run, untried=untried, lasting=True))
    if heard.get("problem"):
        yield from unable_line(id, heard["problem"], f"{id}.listen")
    if not heard["traffic"]:
        return None
    yield from _foreign(id, heard)
    return heard


def _foreign(id: str, heard: Values) -> Steps[str]:  # noqa: A002
    """Say that there is another master; to go on is only to listen."""
    code = Fault.FOREIGN.value.code
    who = _("Someone is already talking on this line.")
    if heard["setting"]:
        units = ", ".join(map(str, heard["units"]))
        who = _("Someone is already talking ({setting}, ids {units}).").format(
            setting=as_setting(heard["setting"]), units=units
        )
    facts = f"{who} ({code})\n" + _("Two masters on one line corrupt each other's messages.")
    ways: list[Choice | Back] = [
        Back(AGAIN, _("I unplugged the other one, try again"), f"{id}.listen"),
        Back("stop", _("stop here"), f"{id}.kind"),
    ]
    if heard["setting"]:
        ways.insert(0, Choice("listen", _("just listen: take the values the other one asks for")))
    return what_now(
        f"{id}.foreign",
        _("What shall we do?"),
        ways,
        facts=facts,
        exit_code=DEVICE_UNREADABLE,
        why=_(
            "The other one may be a PLC, a panel or another gateway. Who only listens disturbs "
            "nobody, and gets only what the other one asks for."
        ),
    )


def overheard(id: str, link: Link) -> Steps[Values]:  # noqa: A002
    """Ask which of the devices that another master reads it is."""
    heard: Values = link.memory["passive"]
    link.settings |= {**heard["setting"], "listen": True}
    units = [unit for unit in heard["units"] if unit not in taken(link)] or heard["units"]
    asked = [f"{table}:{at} x{n}" for unit, table, at, n in heard["asked"] if unit in units]
    unit = yield from ask(
        menu(
            f"{id}.unit",
            _("The values of which device shall be taken?"),
            [Choice(str(unit), _("id {unit}").format(unit=unit)) for unit in units],
            default=str(units[0]),
            facts=_("The other one asks for: {what}").format(what=", ".join(asked[:8])),
            why=_("Only devices can be chosen that the other master reads."),
        )
    )
    return unseen(int(unit))


def unable_line(id: str, problem: Values, look_id: str) -> Steps[None]:  # noqa: A002
    """Say why the port cannot be used, and look again."""
    yield from what_now(
        f"{id}.line.trouble",
        _("The line cannot be used so. What now?"),
        [
            Back(AGAIN, _("look again"), look_id),
            Back("kind", _("connect something else"), f"{id}.kind"),
        ],
        facts=of_port(problem).facts,
        exit_code=DEVICE_UNREADABLE,
        why=_("Do what stands there, then look again. The code helps on the phone."),
    )
