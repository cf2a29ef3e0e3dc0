"""What the wizard asks about devices: which kind, then the driver's own part, then the name."""

from dataclasses import replace
from typing import Any

from edge_agent import plugins
from edge_agent.errors import DriverUnavailable
from edge_agent.language import _, count
from edge_agent.setup.draft import Values
from edge_agent.setup.kind import Draft, Home
from edge_agent.setup.kinds import Kinds, find_kinds
from edge_agent.setup.meaning import new_name, to_label
from edge_agent.setup.plant import Line, Plant, new_one
from edge_agent.setup.question import (
    Back,
    Choice,
    Look,
    Question,
    Steps,
    ask,
    look,
    menu,
    moment,
    one_of,
    optional,
    what_now,
)

DONE = "done"
AGAIN = "again"  # the same device once more
SAME = "same"  # another device on a line that is there


def devices(plant: Plant, home: Home) -> Steps[None]:
    """Ask for devices until there are no more."""
    number, kinds = 1, find_kinds(home)
    while True:
        word = yield from ask(_kind(f"device.{number}", plant, kinds))
        if word == DONE:
            return
        yield from _device(f"device.{number}", word, plant, kinds)
        number += 1


def _kind(id: str, plant: Plant, kinds: Kinds) -> Question[str]:  # noqa: A002 - the word of Question
    """Ask what is connected next; there must be one device at least."""
    choices = [*_more_of_it(plant), *(Choice(kind.word, kind.text) for kind in kinds.usable)]
    if plant.lines:
        choices.append(Choice(DONE, _("nothing more")))
    usual = SAME if _waiting(plant) else DONE
    return menu(
        f"{id}.kind",
        _("What do you connect next?") if plant.lines else _("What do you connect?"),
        choices,
        default=usual if plant.lines else None,
        unattended=DONE if plant.lines else None,
        parse=_installed([choice.word for choice in choices], kinds),
        facts="\n".join(kinds.complaints),
        remember=False,
        example=choices[0].word if choices else "",
        why=_("Look at the cable: two thin wires on screws, or a network plug."),
    )


def _more_of_it(plant: Plant) -> list[Choice]:
    """Offer what was found and is not set up yet, another one on a line, or the same again."""
    if not plant.lines:
        return []
    found = _waiting(plant)
    text = _("another device on a line that is set up")
    if found:
        text = count(found, "{n} more device that was found", "{n} more devices that were found")
    choices = [Choice(SAME, text)]
    if _cloneable(plant):
        choices.append(Choice(AGAIN, _("the same device again, with another number")))
    return choices


def _waiting(plant: Plant) -> int:
    return sum(line.kind.waiting(line.link) for line in plant.lines)


def _installed(words: list[str], kinds: Kinds) -> Any:
    """Accept a word whose driver can be loaded here."""

    def parse(answer: str) -> str:
        kind = kinds.named(one_of(words)(answer))
        if kind:
            try:
                plugins.load(kind.driver)
            except DriverUnavailable as error:
                raise ValueError(str(error)) from error
        return answer

    return parse


def _cloneable(plant: Plant) -> list[tuple[Line, Values]]:
    return [(line, device) for line, device in plant.devices if line.kind.again]


def _device(id: str, word: str, plant: Plant, kinds: Kinds) -> Steps[None]:  # noqa: A002
    if word == AGAIN:
        line, draft = yield from _clone(id, plant)
    else:
        line = yield from _way(id, word, plant, kinds)
        draft = yield from line.kind.device(id, line.link)
    compared = yield from _compared(id, draft, plant)
    device: Values = {
        "name": (yield from ask(_name(id, draft, plant))),
        "label": draft.device.get("label") or (yield from ask(_label(id, draft))),
    }
    device |= {key: value for key, value in draft.device.items() if key not in device}
    if "every" not in device:
        device["every"] = yield from ask(_every(id))
    if compared:
        plant.compared[device["name"]] = compared
    if draft.answer_time is not None:
        line.link.answer_times[device["name"]] = draft.answer_time
    line.link.devices.append(_in_order(device))


def _compared(id: str, draft: Draft, plant: Plant) -> Steps[Values]:  # noqa: A002
    """Give what was compared with the device's display, and when; nothing where nobody was there.

    Whether somebody was there is kept with the answers, which may be used again by a person who
    resumes what a file of answers began.
    """
    if not draft.compared:
        return {}
    looked = Look(f"{id}.attended", "", lambda _progress: plant.attended, lasting=True)
    at = yield from moment(f"{id}.compared")
    attended = yield from look(looked)
    when = at if draft.at is None else draft.at
    return {"at": when, "values": draft.compared} if attended else {}


def _in_order(device: Values) -> Values:
    """Put a device's keys in the order of the manual, and leave out what is empty."""
    order = ("name", "label", "address", "profile", "parameters", "every", "points")
    keys = [*(key for key in order if key in device), *(key for key in device if key not in order)]
    return {key: device[key] for key in keys if device[key] not in ("", {}, [])}


def _clone(id: str, plant: Plant) -> Steps[tuple[Line, Draft]]:  # noqa: A002
    """Set up a device like one that is there; ask which, if there are several."""
    there = {device["name"]: (line, device) for line, device in _cloneable(plant)}
    name = next(iter(there))
    if len(there) > 1:
        choices = [Choice(name, _called(device)) for name, (_line, device) in there.items()]
        text = _("The same as which one?")
        name = yield from ask(menu(f"{id}.like", text, choices, default=choices[-1].word))
    line, device = there[name]
    if line.kind.again is None:
        raise RuntimeError(f"{line.kind.word} cannot be cloned")
    draft = yield from line.kind.again(id, line.link, device)
    label = draft.label or device.get("label", "")
    return line, replace(draft, name=draft.name or name, label=label)


def _called(device: Values) -> str:
    return f"{device['name']}  {device.get('label', '')}".rstrip()


def _way(id: str, word: str, plant: Plant, kinds: Kinds) -> Steps[Line]:  # noqa: A002
    """Find the line a device hangs on: one that is there, or one that is asked for."""
    if word == SAME:
        return (yield from _known_line(id, plant))
    kind = kinds.named(word)
    if kind is None:
        raise RuntimeError(f"no kind {word}")
    link = yield from kind.link(id)
    shared = plant.same_line(kind, link)
    if shared is None:
        return plant.add(kind, link)
    alike = {**shared.link.settings, **link.settings} == shared.link.settings
    if shared.kind.driver != kind.driver or not alike:
        yield from _one_line(id, shared, usable=shared.kind.driver == kind.driver)
    return shared


def _known_line(id: str, plant: Plant) -> Steps[Line]:  # noqa: A002
    """Ask which of the lines, if there are several; first where something was found."""
    names = [line.link.name for line in plant.lines]
    found = [line.link.name for line in plant.lines if line.kind.waiting(line.link)]
    name = names[0]
    if len(names) > 1:
        choices = [Choice(line.link.name, _with_devices(line)) for line in plant.lines]
        usual = (found or names[-1:])[0]
        name = yield from ask(menu(f"{id}.line", _("On which line?"), choices, default=usual))
    return plant.lines[names.index(name)]


def _with_devices(line: Line) -> str:
    return f"{line.link.name}: {', '.join(device['name'] for device in line.link.devices)}"


def _one_line(id: str, shared: Line, *, usable: bool) -> Steps[None]:  # noqa: A002
    """Explain that a line is set up already and differently; go on only if that is accepted."""
    ways: list[Choice | Back] = [Back("change", _("I choose something else"), f"{id}.kind")]
    if usable:
        ways.append(Choice("share", _("use it as it is set up")))
    yield from what_now(
        f"{id}.shared",
        _("{name} uses this line already. What now?").format(name=shared.link.name),
        ways,
        default="change",
        facts=", ".join(f"{key} {value}" for key, value in shared.link.settings.items()),
        why=_("All devices on one line talk in the same way, at the same speed."),
    )


def _name(id: str, draft: Draft, plant: Plant) -> Question[str]:  # noqa: A002
    taken = plant.names()
    return Question(
        id=f"{id}.name",
        text=_("A short name for this device?"),
        parse=new_name(taken),
        default=new_one(draft.name, taken) or None,
        findable=True,  # a list of registers may name it
        example="press-1",
        why=_("Its readings are sent under this name. Small letters, digits, - and _."),
    )


def _label(id: str, draft: Draft) -> Question[str]:  # noqa: A002
    return Question(
        id=f"{id}.label",
        text=_("What do people call it? (free text, - for nothing)"),
        parse=optional(to_label),
        default=draft.label,
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
