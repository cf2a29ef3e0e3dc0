"""Whether the values of a known model are those on its display: the heart of the wizard (S8)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_agent.command import DEVICE_UNREADABLE
from edge_agent.config.profile import Profile
from edge_agent.language import _
from edge_agent.layout import columns, people_say
from edge_agent.setup.draft import Values
from edge_agent.setup.kind import Link
from edge_agent.setup.profile_choice import in_words, title_of
from edge_agent.setup.profile_trial import read_device
from edge_agent.setup.question import (
    Back,
    Choice,
    Look,
    Progress,
    Question,
    Rewind,
    Steps,
    ask,
    look,
    menu,
    what_now,
)

_SHOWN = 10  # values on one screen
_PREFIXES = {  # a unit -> another in which displays show it, and by what that number is smaller
    "W": ("kW", 1000.0), "kW": ("MW", 1000.0), "var": ("kvar", 1000.0), "V.A": ("kVA", 1000.0),
    "kW.h": ("MWh", 1000.0), "kvar.h": ("Mvarh", 1000.0), "V": ("kV", 1000.0),
    "A": ("kA", 1000.0), "mA": ("A", 1000.0), "kPa": ("bar", 100.0), "m3/h": ("l/min", 0.06),
    "m/s": ("mm/s", 0.001), "s": ("min", 60.0), "h": ("d", 24.0),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject:
    """A device that was found.

    Attributes:
        driver: Whose profiles it may have.
        address: What all its points share, as in the configuration file.
        suggested: Profiles that it may be, the likeliest first.
        certain: The first one is it.
        facts: What was seen of it, for people.
        folder: That of the configuration, which may have profiles of its own.
    """

    driver: str
    address: Values
    suggested: Sequence[str] = ()
    certain: bool = False
    facts: str = ""
    folder: Path | None = None


@dataclass(slots=True)
class Case:
    """A device while its profile is being checked.

    Attributes:
        name: The profile's.
        model: Which of its models, if that was typed or is clear.
    """

    id: str
    link: Link
    subject: Subject
    name: str
    profile: Profile
    model: str
    parameters: Values = field(default_factory=dict)

    @property
    def device(self) -> Values:
        device: Values = {"address": self.subject.address, "profile": self.name}
        return {**device, "parameters": self.parameters} if self.parameters else device

    @property
    def settings(self) -> Values:
        """Those of the link, and what the model needs besides."""
        return {**self.profile.settings, **self.link.settings}

    def reading(self) -> Look:
        """Read it once."""
        subject = self.subject
        return reading(
            f"{self.id}.live", subject.driver, self.settings, self.device, subject.folder
        )


def reading(
    id: str,  # noqa: A002
    driver: str,
    settings: Values,
    device: Values,
    folder: Path | None = None,
) -> Look:
    """Read all values of a device once."""

    def read(_progress: Progress) -> Values:
        return read_device(driver, settings, device, folder)

    return Look(
        id,
        _("Reading its values ..."),
        read,
        untried={"state": "up", "why": "", "code": "", "ms": 0, "values": {}},
    )


def compare(case: Case) -> Steps[Values | None]:
    """Have the values compared with the display; None where they shall be told one by one."""
    seen: Values = yield from look(case.reading())
    if not is_read(seen):
        return (yield from _unread(case, seen))
    choice = yield from ask(_match(case, seen))
    if choice == "again":
        yield Rewind(f"{case.id}.live")
    if choice == "units" and not (yield from _other_units(case, seen)):
        choice = "no"
    if choice == "no":
        yield from _wrong(case)
        return None
    return seen


def is_read(seen: Values) -> bool:
    """Tell whether anything of a device has a value."""
    if not seen["values"]:
        return not seen["why"]  # where nothing is tried, all is supposed to be well
    return any(value["ok"] for value in seen["values"].values())


def _match(case: Case, seen: Values) -> Question[str]:
    head = _("{title}: compare with its display").format(title=title_of(case.profile, case.model))
    return menu(
        f"{case.id}.match",
        _("Does it match the display?"),
        [
            Choice("yes", _("yes")),
            Choice("no", _("no")),
            Choice("units", _("the display shows other units, such as kW for W")),
            Choice("again", _("read again")),
        ],
        example="yes",  # no default: who presses Enter has compared nothing
        facts="\n".join([head, *table(case.profile, seen)]),
        remember=False,
        why=_(
            "This is the proof that the right values are collected. Small differences are normal, "
            "since the values change. What has no value shows --."
        ),
    )


def table(profile: Profile | None, seen: Values, *, other_units: bool = False) -> list[str]:
    """Lay the first values out: label, number, unit."""
    rows = []
    for name, value in [*seen["values"].items()][:_SHOWN]:
        label = in_words(profile.points[name].label) if profile and name in profile.points else name
        number, unit = value["v"], value["unit"]
        if other_units and value["number"] is not None and unit in _PREFIXES:
            unit, factor = _PREFIXES[unit]
            number = f"{value['number'] / factor:.6g}"
        rows.append((f"  {label}", number, people_say(unit)))
    return columns(rows, right=[1])


def _other_units(case: Case, seen: Values) -> Steps[bool]:
    """Show the same in the units that displays use; tell whether it is right so."""
    choice = yield from ask(
        menu(
            f"{case.id}.units",
            _("And so, does it match the display now?"),
            [Choice("yes", _("yes")), Choice("no", _("no"))],
            example="yes",
            facts="\n".join(table(case.profile, seen, other_units=True)),
            remember=False,
            why=_("It is the same value; it is sent with the unit that was shown first."),
        )
    )
    return choice == "yes"


def why_unread(seen: Values) -> str:
    """Say why a device has no value, for who stands before it."""
    code = f" ({seen['code']})" if seen["code"] else ""
    if seen["state"] == "silent":
        checks = [
            _("Is it powered?"),
            _("Is this its number (id)? Its menu shows it."),
            _("Are its two wires firm, and not swapped?"),
        ]
        lines = [f" {number}. {check}" for number, check in enumerate(checks, 1)]
        return "\n".join([_("The device did not answer.") + code, *lines])
    return (seen["why"] or _("It answers, but refuses all of these values.")) + code


def _unread(case: Case, seen: Values) -> Steps[Values | None]:
    yield from what_now(
        f"{case.id}.trouble",
        _("None of its values could be read. What now?"),
        [
            Back("again", _("read again"), f"{case.id}.live"),
            Back("model", _("it is another model"), f"{case.id}.profile"),
            Choice("keep", _("keep it, the device will be there later")),
        ],
        facts=why_unread(seen),
        exit_code=DEVICE_UNREADABLE,
        why=_("A device that refuses all values of a model is mostly another model."),
    )
    return seen


def _wrong(case: Case) -> Steps[None]:
    ways: list[Choice | Back] = [
        Back("model", _("it is another model"), f"{case.id}.profile"),
        Choice("registers", _("tell its values one by one, by the number on the display")),
        Back("again", _("read again"), f"{case.id}.live"),
    ]
    if case.parameters:
        first = f"{case.id}.parameter.{next(iter(case.parameters))}"
        text = _("the ratio of its transformers is another one")
        ways.insert(1, Back("parameter", text, first))
    yield from what_now(
        f"{case.id}.wrong",
        _("Then something is different. What shall we try?"),
        ways,
        default="model",
        exit_code=DEVICE_UNREADABLE,
        why=_("Makers change models; the display decides, not the list."),
    )


def as_shown(seen: Values) -> dict[str, str]:
    """Give what was shown, for the commissioning report: nobody has confirmed anything else."""
    return {
        name: f"{value['v']} {people_say(value['unit'])}".strip()
        for name, value in [*seen["values"].items()][:_SHOWN]
        if value["ok"]
    }
