"""What to collect of a known model, how often, and what that costs on the line (S10)."""

from collections.abc import Callable
from typing import NamedTuple

from edge_agent.config.profile import Profile
from edge_agent.language import _
from edge_agent.setup.draft import Values
from edge_agent.setup.profile_choice import in_words
from edge_agent.setup.question import Choice, Question, Steps, ask, menu

USUAL, FAST, SLOW = "5s", "1s", "60s"
_COUNTERS = {"kW.h", "kvar.h", "kV.A.h", "m3", "h"}  # units of what only adds up
_PAGE = 13  # values on one screen

Load = Callable[[Values], float | None]
"""Tells which share of the line's time is used with a device, as in the file."""


class Wish(NamedTuple):
    """One way to collect from a device: the word for answers files, and the text of the menu."""

    word: str
    text: str
    device: Values


def collect(id: str, profile: Profile, device: Values, load: Load) -> Steps[Values]:  # noqa: A002
    """Ask what to collect; give the device with preset, intervals and points.

    Args:
        id: The questions begin with it.
        profile: The model.
        device: As in the file, with its profile.
        load: What it costs on the line.
    """
    wishes = {wish.word: wish for wish in _wishes(profile, device)}
    choices = [Choice(wish.word, _with_load(wish, load)) for wish in wishes.values()]
    if _others(profile):
        choices.append(Choice("choose", _("the usual values, and I choose more")))
    word = yield from ask(
        menu(
            f"{id}.preset",
            _("What shall be collected?"),
            choices,
            default="essentials",
            why=_(
                "Counters, such as energy, are read every minute: they change slowly. Everything "
                "can be changed later in the configuration."
            ),
        )
    )
    if word != "choose":
        return wishes[word].device
    more = yield from _chosen(id, profile)
    return _every(profile, [*_usual(profile), *more], {**device, "every": USUAL}, more)


def _wishes(profile: Profile, device: Values) -> list[Wish]:
    usual, every = _usual(profile), [*profile.points]
    text = _("the usual {n} values, every 5 seconds").format(n=len(usual))
    fast = _("the usual {n} values, every second").format(n=len(usual))
    wishes = [
        Wish("essentials", text, _every(profile, usual, {**device, "every": USUAL})),
        Wish("fast", fast, _every(profile, usual, {**device, "every": FAST})),
    ]
    if len(every) > len(usual):
        whole = {**device, "preset": "all", "every": USUAL}
        text = _("all {n} values, every 5 seconds").format(n=len(every))
        wishes.append(Wish("all", text, _every(profile, every, whole)))
    return wishes


def _usual(profile: Profile) -> list[str]:
    return [*profile.preset("essentials")]


def _others(profile: Profile) -> list[str]:
    usual = {*_usual(profile)}
    return [name for name in profile.points if name not in usual]


def _every(profile: Profile, points: list[str], device: Values, named: list[str] = []) -> Values:  # noqa: B006
    """Read what only adds up every minute; name the points that the preset does not bring."""
    counters = [name for name in points if profile.points[name].unit in _COUNTERS]
    slower = {name: {"every": SLOW} for name in counters if len(counters) < len(points)}
    own = {name: slower.get(name, {}) for name in points if name in slower or name in named}
    return {**device, "points": own} if own else device


def _with_load(wish: Wish, load: Load) -> str:
    share = load(wish.device)
    if share is None:
        return wish.text
    if share > 1:
        return _("{text} (too much for this line)").format(text=wish.text)
    percent = max(1, round(100 * share))
    return _("{text} (uses {percent} % of the line)").format(text=wish.text, percent=percent)


def _chosen(id: str, profile: Profile) -> Steps[list[str]]:  # noqa: A002
    """Ask page by page for more of its values."""
    others = _others(profile)
    chosen: list[str] = []
    for page, first in enumerate(range(0, len(others), _PAGE), 1):
        names = others[first : first + _PAGE]
        numbers = yield from ask(_page(f"{id}.more.{page}", profile, names, first))
        chosen += [others[number - 1] for number in numbers]
    return chosen


def _page(
    id: str,  # noqa: A002
    profile: Profile,
    names: list[str],
    first: int,
) -> Question[list[int]]:
    lines = [
        f"{number:3}  {in_words(profile.points[name].label)}"
        for number, name in enumerate(names, first + 1)
    ]
    return Question(
        id=id,
        text=_("Which of these as well? Numbers such as 3,5,8-12, or - for none:"),
        parse=_numbers(first + 1, first + len(names)),
        facts="\n".join(lines),
        default="-",
        why=_("The usual values are collected in any case."),
    )


def _numbers(lowest: int, highest: int) -> Callable[[str], list[int]]:
    def parse(answer: str) -> list[int]:
        found: list[int] = []
        for part in answer.replace("，", ",").split(",") if answer not in {"", "-"} else ():
            begin, dash, end = part.strip().partition("-")
            if not (begin.isdigit() and (end if dash else begin).isdigit()):
                raise ValueError(_("{part!r} is no number such as 3 or 8-12.").format(part=part))
            found += range(int(begin), int(end or begin) + 1)
        if any(not lowest <= number <= highest for number in found):
            raise ValueError(
                _("Write numbers from {lowest} to {highest}.").format(
                    lowest=lowest, highest=highest
                )
            )
        return sorted(set(found))

    return parse
