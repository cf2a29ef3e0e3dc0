"""What the wizard does and asks on a serial line until a device is chosen (S5, S6, S6x)."""

from collections.abc import Sequence

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
    look,
    menu,
    profile_of,
)
from edge_agent_modbus.discovery import (
    LIKELY_SETTINGS,
    LIKELY_UNITS,
    LineSetting,
    line_settings,
)
from edge_agent_modbus.recognising import known_profiles
from edge_agent_modbus.setup_evidence import Verdict, of_line
from edge_agent_modbus.setup_listen import listen, overheard, unable_line
from edge_agent_modbus.setup_search import as_setting, search_line
from edge_agent_modbus.setup_typed import EVERYONE, settled, typed
from edge_agent_modbus.setup_unit import (
    AGAIN,
    ALL,
    TYPE,
    all_set_up,
    choose,
    remember,
    unseen,
    waiting,
)


def unit_on_line(id: str, link: Link) -> Steps[Values]:  # noqa: A002 - the word of Question
    """Find a device on a serial line; completes the link's settings.

    What was found is remembered, so that the next device needs no search.
    """
    if link.memory.get("passive"):
        return (yield from overheard(id, link))
    if "found" not in link.memory:
        heard = yield from listen(id, link)
        if heard is not None:
            link.memory["passive"] = heard
            return (yield from overheard(id, link))
    return (yield from _searched(id, link))


def _searched(id: str, link: Link) -> Steps[Values]:  # noqa: A002
    """Search, show what was found, and search on until a device is chosen."""
    if "found" not in link.memory:
        yield from _search(f"{id}.scan", id, link, _first_settings(link), LIKELY_UNITS)
    while True:
        found: list[Values] = link.memory["found"]
        word = yield from ask(_who(id, link))
        if word.isdigit():
            return settled(link, next(each for each in found if str(each["unit"]) == word))
        chosen = yield from _go_on(id, link, word)
        if chosen is not None:
            return chosen


def _go_on(id: str, link: Link, word: str) -> Steps[Values | None]:  # noqa: A002
    """Search anew, wider, or for what somebody types; a device only where it was typed."""
    if word == TYPE:
        return (yield from typed(id, link))
    if word == AGAIN and link.memory["searched"] == id:
        yield Rewind(f"{id}.scan")
    settings, units = _first_settings(link), LIKELY_UNITS
    if word == ALL:
        units = EVERYONE
    elif word == "speeds":
        settings = [each for each in line_settings() if each not in settings]
    elif word == "model":
        name = yield from profile_of(f"{id}.like", "modbus", folder=link.memory.get("folder"))
        settings = list(dict.fromkeys([*_of_profile(name), *settings]))
    look_id = f"{id}.scan" if word == AGAIN else f"{id}.scan.{word}"
    yield from _search(look_id, id, link, settings, units)
    return None


def _first_settings(link: Link) -> list[LineSetting]:
    """Give the settings to try: this line's, those of the site's other lines, the usual ones."""
    if "baud" in link.settings and link.devices:
        return [as_setting(link.settings)]  # devices on one line talk alike
    known = [one for one in link.memory.get("site", ()) if one.get("transport") == "rtu"]
    site = [as_setting(one) for one in known if "baud" in one]
    return list(dict.fromkeys([*site, *LIKELY_SETTINGS]))


def _of_profile(name: str | None) -> list[LineSetting]:
    """Give the settings that a model leaves the works with."""
    profile = known_profiles().get(name or "")
    return [
        LineSetting(one.baud, one.parity, one.stop_bits)
        for one in (profile.serial if profile else ())
        if one.data_bits == 8  # 7 bits are Modbus ASCII's
    ]


def _search(
    look_id: str,
    id: str,  # noqa: A002
    link: Link,
    settings: Sequence[LineSetting],
    units: Sequence[int],
) -> Steps[None]:
    """Search, and put what was found with what is known of the line."""
    port = link.settings["port"]

    def run(progress: Progress) -> Values:
        return search_line(port, settings, units, progress, thorough=True)

    supposed = [unseen(unit) for unit in EVERYONE]  # whichever somebody means to choose
    untried = {"found": supposed, "heard": {}, "stopped": False, "foreign": False}
    doing = _("Searching (read only, cannot change your machines); Ctrl-C stops it ...")
    seen: Values = yield from look(Look(look_id, doing, run, untried=untried, lasting=True))
    if seen.get("problem"):
        yield from unable_line(id, seen["problem"], look_id)
    if seen["foreign"]:
        yield Rewind(f"{link.memory.get('listened', id)}.listen")
    remember(link, seen["found"])
    tried = _("ids {first}-{last}").format(first=min(units), last=max(units))
    link.memory["verdict"] = of_line(seen["heard"], tried)
    link.memory["stopped"] = seen["stopped"]
    if look_id == f"{id}.scan":
        link.memory["searched"] = id


def _who(id: str, link: Link) -> Question[str]:  # noqa: A002
    if waiting(link):
        return _choose(id, link)
    return all_set_up(id, link, _more()) if link.memory["found"] else _nobody(id, link)


def _choose(id: str, link: Link) -> Question[str]:  # noqa: A002
    stopped = _("The search was stopped.") if link.memory.get("stopped") else ""
    return choose(id, link.memory["found"], link, facts=stopped, more=_more())


def _more() -> list[Choice]:
    return [
        Choice(ALL, _("search all 247 ids (at most 3 minutes)")),
        Choice(TYPE, _("type settings (for experts)")),
    ]


def _nobody(id: str, link: Link) -> Question[str]:  # noqa: A002
    """Say why nobody was found, and what to check."""
    verdict: Verdict = link.memory.get("verdict") or of_line({}, "")
    return menu(
        f"{id}.trouble",
        _("Check in this order, then press Enter (10 s test):"),
        [
            Choice(AGAIN, _("test again")),
            Choice(ALL, _("search all 247 ids (at most 3 minutes)")),
            Choice("speeds", _("try all speeds, also rare ones (half a minute)")),
            Choice("model", _("choose the model: its own settings are tried first")),
            Choice(TYPE, _("type settings (for experts)")),
        ],
        default=AGAIN,
        facts=verdict.facts,
        remember=False,
        exit_code=DEVICE_UNREADABLE,
        why=_("New devices mostly have number 1. The code helps on the phone."),
    )
