"""A device that is in no profile, set up by its maker's register list, which is a file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from edge_agent.language import _, count
from edge_agent.registers import Asked, ListUnreadable, RegisterList, read_list
from edge_agent.registers.listed import NAMELESS
from edge_agent.setup.draft import Values
from edge_agent.setup.kind import Draft, Link
from edge_agent.setup.profile_check import Subject
from edge_agent.setup.profiling import same_again
from edge_agent.setup.question import (
    Back,
    Choice,
    Look,
    Progress,
    Question,
    Steps,
    ask,
    look,
    menu,
    what_now,
)
from edge_agent.setup.screen import clipped, filled
from edge_agent.setup.sitefile import STICKS

ENDINGS = (".csv", ".xlsx", ".xls", ".ods")
ROOT = Path("/")
_MOST_FILES = 8
_MOST_TOLD, _MOST_TAKEN = 6, 4  # lines on one screen
_NO_LOSS = {"heading", "duplicate"}  # rows that lose no value


def list_steps(id: str, link: Link, subject: Subject) -> Steps[Draft]:  # noqa: A002
    """Set a device up by its maker's list; its values are read and compared with its display.

    Who says that they do not match is asked again how they shall be told, at `ID.how`.

    Args:
        id: The questions begin with it.
        link: What it hangs on.
        subject: The device that was found.
    """
    folder = subject.folder or Path()
    file = yield from ask(_which_file(id, folder))
    devices = yield from _understood(id, Path(file), subject)
    device = devices[0]
    if len(devices) > 1:
        device = devices[int((yield from ask(_which_device(id, devices)))) - 1]
    address = {**device.get("address", {}), **subject.address}
    one = Subject(subject.driver, address, folder=subject.folder)
    draft = yield from same_again(f"{id}.list", link, device, one, otherwise=f"{id}.how")
    return replace(draft, name="" if device["name"] == NAMELESS else device["name"])


def lists_in(folder: Path, root: Path = ROOT) -> list[str]:
    """Find what may be register lists beside the configuration, or on a stick."""
    sticks = (stick for pattern in STICKS for stick in sorted(root.glob(pattern)))
    places = dict.fromkeys([folder, *sticks])
    files = (file for place in places for file in sorted(place.glob("*")))
    return [str(file) for file in files if file.suffix.lower() in ENDINGS][:_MOST_FILES]


def _which_file(id: str, folder: Path) -> Question[str]:  # noqa: A002
    def parse(answer: str) -> str:
        if not (folder / answer).is_file():
            raise ValueError(_("{path} is not there, or cannot be read.").format(path=answer))
        return str(folder / answer)

    choices = [Choice(file, clipped(file)) for file in lists_in(folder, ROOT)]
    return Question(
        id=f"{id}.list.file",
        text=_("Where is the maker's register list? Choose, or type its path:"),
        parse=parse,
        choices=tuple(choices),
        example="/media/usb/registers.xlsx",
        facts="" if choices else _("No list was found beside the configuration or on a stick."),
        why=_(
            "A table with one row for each value, and a row of headers: address, name, type, "
            "unit, factor, in English or Chinese. CSV, XLSX, XLS and ODS can be read."
        ),
    )


def _understood(id: str, file: Path, subject: Subject) -> Steps[list[Values]]:  # noqa: A002
    """Read the list, and ask what it leaves open until nothing is; give its devices."""
    given: dict[str, str] = {}
    turn = 0
    while True:
        turn += 1
        found = yield from look(_reading(f"{id}.list.read.{turn}", file, subject, given))
        if found["problem"]:
            yield from _unusable(id, found["problem"])
        if not found["open"] and (yield from _is_accepted(id, turn, found)):
            devices: list[Values] = found["devices"]
            return devices
        for question in found["open"] or found["taken"]:
            given[question["id"]] = yield from ask(_open(f"{id}.list", question))


def _reading(at: str, file: Path, subject: Subject, given: Mapping[str, str]) -> Look:
    answers = dict(given)

    def read(_progress: Progress) -> Values:
        nothing: Values = {"problem": "", "open": [], "taken": [], "devices": [], "told": []}
        try:
            found = read_list(file, subject.driver, answers, subject.folder)
        except (ListUnreadable, OSError) as error:
            return nothing | {"problem": str(error)}
        if found.questions:
            return nothing | {"open": [_as_values(found.questions[0])]}  # others may depend on it
        if not found.used:
            return nothing | {"problem": "\n".join([found.summary(), *_lost(found)][:_MOST_TOLD])}
        told = [found.summary(), *filled(list(_lost(found)), _MOST_TOLD)]
        taken = [_as_values(question) for question in found.taken]
        return nothing | {"devices": found.blocks(), "told": told, "taken": taken}

    supposed: Values = {"name": NAMELESS, "points": {}}
    return Look(
        at,
        _("Reading the list ..."),
        read,
        untried={"problem": "", "open": [], "taken": [], "devices": [supposed], "told": []},
    )


def _as_values(question: Asked) -> Values:
    return {
        "id": question.id,
        "text": question.text,
        "why": question.why,
        "choices": [[choice.word, choice.text] for choice in question.choices],
        "rows": list(question.rows),
        "default": question.default,
    }


def _lost(found: RegisterList) -> Iterator[str]:
    """Say which rows lose a value, and why."""
    for row in found.rows:
        if row.code and row.code not in _NO_LOSS:
            told = _("row {number}: {why}").format(number=row.row, why=row.remark)
            yield clipped(f"  {told}")


def _open(id: str, question: Values) -> Question[str]:  # noqa: A002
    rows: Sequence[int] = question["rows"]
    facts = count(len(rows), "This concerns {n} row.", "This concerns {n} rows.") if rows else ""
    choices = [Choice(word, text) for word, text in question["choices"]]
    return menu(
        f"{id}.{question['id']}",
        question["text"],
        choices,
        default=question["default"],
        example=choices[0].word if choices else "",
        facts=facts,
        why=question["why"],
    )


def _unusable(id: str, problem: str) -> Steps[None]:  # noqa: A002
    yield from what_now(
        f"{id}.list.trouble",
        _("This list cannot be used so. What now?"),
        [Back("file", _("another file"), f"{id}.list.file")],
        default="file",
        facts=problem,
        why=_("b goes back to the other ways to tell its values."),
    )


def _which_device(id: str, devices: Sequence[Values]) -> Question[str]:  # noqa: A002
    choices = [
        Choice(str(number), f"{one.get('label') or one['name']}  ({len(one['points'])})")
        for number, one in enumerate(devices, 1)
    ]
    text = _("The list has several devices. Which one is this?")
    return menu(f"{id}.list.device", text, choices, example="1")


def _is_accepted(id: str, turn: int, found: Values) -> Steps[bool]:  # noqa: A002
    """Ask whether its rows will do; what is taken for granted may be asked for instead."""
    ways: list[Choice | Back] = [
        Choice("yes", _("yes, read its values")),
        Back("file", _("no, another file"), f"{id}.list.file"),
    ]
    if found["taken"]:
        ways.insert(1, Choice("ask", _("ask me what the list does not say")))
    word = yield from what_now(
        f"{id}.list.rows.{turn}",
        _("The list is read. Go on with these rows?"),
        ways,
        default="yes",
        facts="\n".join([*found["told"], *filled(list(map(_taken, found["taken"])), _MOST_TAKEN)]),
        why=_("Rows that are not used can be corrected in the file; then it is read again."),
    )
    return word == "yes"


def _taken(question: Values) -> str:
    """Say what the list does not say, and what is taken for it."""
    texts: dict[str, str] = dict(question["choices"])
    return clipped(f"{question['text']} {texts[question['default']]}")
