"""The summary before anything is written: every device read once, what it sends, what to do."""

from collections.abc import Sequence
from pathlib import Path

from edge_agent.language import _, count
from edge_agent.layout import columns, wrap
from edge_agent.setup.draft import Values
from edge_agent.setup.proving import rehearse, survey
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
from edge_agent.setup.screen import clipped, filled
from edge_agent.setup.writer import as_yaml

START, WRITE = "start", "write"
REHEARSAL = 60.0  # seconds
MOST_SAID = 2  # rows
MOST_ROWS = 3  # of a table, so that it fits a screen with the menu below it
MOST_FAILED = 12


def summary(document: Values, config: Path, said: Sequence[str], *, starts: bool) -> Steps[Values]:
    """Read everything, show the sum of it, and ask whether to begin.

    Args:
        document: The whole configuration, as in the file.
        config: Where it will be.
        said: What the broker's trial said.
        starts: Whether a service can be started here.

    Returns:
        `choice`: `start` or `write`, and `devices` as they answered.
    """
    text, folder = as_yaml(document), config.parent
    doing = _("Reading every device once")
    seen: Values = yield from look(
        Look(
            "summary.look",
            doing + " ...",
            lambda progress: _surveyed(text, folder, doing, progress),
            untried={"problem": "", "devices": [], "rate": 0, "month": 0, "load": {}},
        )
    )
    if seen["problem"]:
        yield from _trouble(seen["problem"])
    facts = "\n".join([*_figures(seen), *_table(seen), *wrap("\n".join(said))[:MOST_SAID]])
    choice = yield from ask(_what_now(facts, seen, starts=starts))
    number = sum(len(connection["devices"]) for connection in document["connections"])
    if choice == "device":
        yield Rewind(f"device.{number + 1}.kind")
    if choice == "broker":
        yield Rewind("broker.where")
    if choice == "list":
        yield from _failed_points(seen)
    if choice == "dry":
        yield from _rehearsal(text, folder)
    return {"choice": choice, "devices": seen["devices"]}


def _surveyed(text: str, folder: Path, doing: str, progress: Progress) -> Values:
    """Survey, and show all of it where the summary has no room for that."""
    seen = survey(text, folder, doing, progress)
    if len(seen["devices"]) > MOST_ROWS:
        for row in columns([_row(one) for one in seen["devices"]]):
            progress.say(clipped(row))
    if len(seen["load"]) > 1:
        for line in _loads(seen):
            progress.say(line)
    return seen


def _figures(seen: Values) -> list[str]:
    values = sum(one["total"] for one in seen["devices"])
    parts = [
        count(len(seen["devices"]), "{n} device", "{n} devices"),
        count(values, "{n} value", "{n} values"),
        _("{rate} messages/s").format(rate=f"{seen['rate']:.2g}"),
        _("about {size} a month").format(size=_size(seen["month"])),
    ]
    return [_(", ").join(parts)]


def _size(count: float) -> str:
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{max(count, 1e5) / 1e6:.1f} MB" if count < 1e7 else f"{count / 1e6:.0f} MB"


def _table(seen: Values) -> list[str]:
    """Show some devices, those with faults first, and the busiest line."""
    devices = sorted(seen["devices"], key=lambda one: one["good"] == one["total"])
    rows = columns([_row(one) for one in devices])
    return [*filled([clipped(row) for row in rows], MOST_ROWS), *_loads(seen)[:1]]


def _loads(seen: Values) -> list[str]:
    """Say how busy each line is, the busiest first."""
    known = [(share, name) for name, share in seen["load"].items() if share]
    return [
        clipped(_("{name} is busy {share} of the time").format(name=name, share=f"{share:.0%}"))
        for share, name in sorted(known, reverse=True)
    ]


def _row(one: Values) -> list[str]:
    mark = _("OK") if one["good"] == one["total"] else _("FAIL")
    return [mark, one["device"], f"{one['good']}/{one['total']}", one["first"] or one["why"]]


def _what_now(facts: str, seen: Values, *, starts: bool) -> Question[str]:
    choices = [Choice(START, _("start now, and at every power-on"))] if starts else []
    choices.append(Choice(WRITE, _("write the configuration, start it later")))
    choices.append(Choice("dry", _("dry run, 60 s: reads, sends nothing")))
    if any(one["failed"] for one in seen["devices"]):
        choices.append(Choice("list", _("list the values that failed")))
    choices.append(Choice("device", _("add another device")))
    choices.append(Choice("broker", _("change the broker")))
    return menu(
        "summary",
        _("Everything as you want it?"),
        choices,
        default=choices[0].word,
        facts=facts,
        remember=False,
        commits=True,
        why=_("A configuration that is there now is kept, and comes back if the new one fails."),
    )


def _trouble(problem: str) -> Steps[None]:
    yield from what_now(
        "summary.trouble",
        _("The configuration cannot be like this."),
        [Back("device", _("back to the devices"), "device.1.kind")],
        default="device",
        facts="\n".join(wrap(problem)[:12]),
        why=_("b goes back one question; what is there already is not changed."),
    )


def _failed_points(seen: Values) -> Steps[None]:
    failed = [
        f"{one['device']} {each['p']}: {each['why']}"
        for one in seen["devices"]
        for each in one["failed"]
    ]
    facts = "\n".join(filled(failed, MOST_FAILED))
    yield from _back("summary.list", _("These have no value now."), facts)


def _rehearsal(text: str, folder: Path) -> Steps[None]:
    doing = _("Reading, nothing is sent")
    seen: Values = yield from look(
        Look(
            "dry.look",
            _("Dry run; Ctrl-C ends it earlier."),
            lambda progress: rehearse(text, folder, REHEARSAL, doing, progress),
            untried={"seconds": 0, "rounds": 0, "devices": []},
        )
    )
    head = [_("device"), _("answered"), _("values"), _("failed"), _("slowest")]
    rows = [
        [
            one["device"],
            f"{one['rounds']}/{seen['rounds']}",
            str(one["ok"]),
            str(one["failed"]),
            f"{one['slowest']:.0f} ms",
        ]
        for one in seen["devices"]
    ]
    lines = [clipped(line) for line in columns([head, *rows], right=[1, 2, 3, 4])]
    took = _("{seconds} s, nothing was sent.").format(seconds=seen["seconds"])
    yield from _back("dry", took, "\n".join(filled(lines, MOST_FAILED)))


def _back(id: str, text: str, facts: str) -> Steps[None]:  # noqa: A002 - the word of Question
    back = [Back("back", _("back to the summary"), "summary.look")]
    yield from what_now(id, text, back, default="back", facts=facts)
