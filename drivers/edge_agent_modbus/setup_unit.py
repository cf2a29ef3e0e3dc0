"""What the wizard shows of devices that a search has found, and how one of them is chosen (S6)."""

from collections.abc import Sequence
from pathlib import Path

from edge_agent.command import cut, padded, width
from edge_agent.commissioning import (
    Choice,
    Link,
    Question,
    Subject,
    Values,
    _,
    menu,
    one_of,
    people_say,
    profile_title,
    profile_wording,
)
from edge_agent.language import count
from edge_agent_modbus.setup_evidence import raw_frames, refuses

_ROOM = 56  # cells of a line beside the menu's number
_LONGEST = 28  # cells of a device's name in it
AGAIN, ALL, TYPE = "again", "all", "type"


def taken(link: Link) -> set[int]:
    """Give the numbers of the devices that are set up on a link."""
    return {device["address"]["unit"] for device in link.devices if "unit" in device["address"]}


def remember(link: Link, found: Sequence[Values]) -> None:
    """Put what a search has found with what was found before; a known model stays known."""
    known = {each["unit"]: each for each in link.memory.get("found", ())}
    for each in found:
        before = known.get(each["unit"])
        is_less = before and before["profiles"] and not each["profiles"]
        known[each["unit"]] = {**before, "ms": each["ms"]} if before and is_less else each
    link.memory["found"] = sorted(known.values(), key=lambda one: int(one["unit"]))


def waiting(link: Link) -> int:
    """Count the devices that a search has found and that are not set up yet."""
    there = taken(link)
    return sum(each["unit"] not in there for each in link.memory.get("found", ()))


def line_of(found: Values, folder: Path | None) -> str:
    """Write a found device as a line of a menu: number, what it is, a value, how fast."""
    number = _("any id") if found["any_unit"] else _("id {unit}").format(unit=found["unit"])
    who, label, value = _who(found, folder)
    fast = f"{found['ms']:.0f} ms"
    told = (f"{label} {value}".strip(), value, "")
    lines = [
        "  ".join(part for part in (padded(number, 4), who, one, fast) if part) for one in told
    ]
    return next((line for line in lines if width(line) <= _ROOM), lines[-1])


def _who(found: Values, folder: Path | None) -> tuple[str, str, str]:
    """Say what it is, and a value of it: its label, and number with unit."""
    if not found["profiles"]:
        said = found["says"] or _("answers, unknown")
        return cut(said, _LONGEST), "", ""
    name = found["profiles"][0]
    title = profile_title("modbus", name, folder)
    doubtful = _("probably {title}").format(title=title)
    who = cut(title if found["certain"] else doubtful, _LONGEST)
    return who, *_value(name, found["value"], folder)


def all_set_up(id: str, link: Link, more: Sequence[Choice]) -> Question[str]:  # noqa: A002
    """Say that everybody who was found is set up already, and offer to look for others."""
    return menu(
        f"{id}.more",
        _("Shall others be looked for?"),
        more,
        default=more[0].word,
        facts=_found_so_far(link.memory["found"], link),
        remember=False,
        exit_code=4,  # the published exit code of a device that cannot be read
        why=_("b goes back, where nothing else is to be connected."),
    )


def _value(profile: str, value: Sequence[object], folder: Path | None) -> tuple[str, str]:
    if not value:
        return "", ""
    label, unit = profile_wording("modbus", profile, str(value[0]), folder)
    return label, f"{value[1]} {people_say(unit)}".rstrip()


def choose(
    id: str,  # noqa: A002 - the word of Question
    found: Sequence[Values],
    link: Link,
    *,
    facts: str = "",
    more: Sequence[Choice] = (),
) -> Question[str]:
    """Ask which of the found devices it is.

    Args:
        id: The question begins with it.
        found: As `setup_search.as_found` gives them.
        link: What they hang on.
        facts: What else is to be said.
        more: Further choices, such as another search.
    """
    there = taken(link)
    free = [each for each in found if each["unit"] not in there]
    choices = [Choice(str(each["unit"]), line_of(each, link.memory.get("folder"))) for each in free]
    words = [choice.word for choice in (*choices, *more)]

    def parse(answer: str) -> str:
        word = one_of(words)(answer)
        if word.isdigit():
            _refuse_other_speed(next(each for each in free if str(each["unit"]) == word), link)
        return word

    lines = [facts, _found_so_far(found, link)]
    return Question(
        id=f"{id}.unit",
        text=_("Which one do you want to set up now?"),
        parse=parse,
        choices=(*choices, *more),
        default=choices[0].word if choices else None,
        example="1",
        remember=False,
        facts="\n".join(line for line in lines if line),
        why=_(
            "The number (id) is set in each device. Probably: the values look like this device, "
            "but it does not say its name. The others can be set up afterwards, without "
            "another search."
        ),
    )


def _found_so_far(found: Sequence[Values], link: Link) -> str:
    there = taken(link)
    lines = [count(len(found), "{n} device was found.", "{n} devices were found.")]
    if there:
        units = ", ".join(map(str, sorted(there)))
        lines.append(_("Set up already: {units}.").format(units=units))
    return "\n".join(lines)


def _refuse_other_speed(found: Values, link: Link) -> None:
    """Refuse a device that talks at another speed than those that are set up on its line."""
    mine = {key: link.settings.get(key, value) for key, value in found["setting"].items()}
    if link.devices and found["setting"] != mine:
        raise ValueError(
            _(
                "Number {unit} talks at another speed than the others on this line. Set its speed "
                "to theirs in its own menu, then search again."
            ).format(unit=found["unit"])
        )


def subject_of(found: Values, link: Link) -> Subject:
    """Give a found device as the profile questions want it."""
    facts = [line_of(found, link.memory.get("folder"))]
    if found["says"]:
        facts.append(_("It says: {text}").format(text=found["says"]))
    if found["refuses"] and not found["profiles"]:
        facts.append(refuses().facts)
    if link.settings["transport"] == "rtu-over-tcp":
        facts.append(raw_frames().facts)
    return Subject(
        driver="modbus",
        address={"unit": found["unit"]},
        suggested=tuple(found["profiles"]),
        certain=found["certain"],
        facts="\n".join(facts),
        folder=link.memory.get("folder"),
    )


def unseen(unit: int) -> Values:
    """Give a device of which nothing but its number is known."""
    return {
        "unit": unit, "setting": {}, "ms": 0.0, "says": "", "refuses": False, "any_unit": False,
        "profiles": [], "certain": False, "value": [],
    }  # fmt: skip
