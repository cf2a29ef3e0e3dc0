"""Which device is it: a search over a driver's profiles by a few letters of the label (S7)."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from edge_agent.config.library import Library, read
from edge_agent.config.profile import Profile, Wording
from edge_agent.errors import ProfileUnavailable
from edge_agent.language import _, spoken
from edge_agent.layout import SCREEN_WIDTH, cut, width
from edge_agent.setup.question import Choice, Question, Rewind, Steps, ask, menu

OTHER = "other"
"""The answer that no profile fits."""
SEARCH = "search"
_NOBODY = "various"  # the maker of what many makers sell alike
_MOST = 12  # found profiles on one screen
_OFFERED = 5  # suggestions on one screen
_ROOM = SCREEN_WIDTH - 4  # beside the menu's number


def in_words(text: Wording) -> str:
    """Give a profile's text in the language that is spoken."""
    return text.zh if spoken() == "zh" else text.en


def title_of(profile: Profile, model: str = "") -> str:
    """Give what people call a model: maker and model, in Chinese its Chinese name.

    Args:
        profile: The profile.
        model: Which of its models, if that is known; else the first.
    """
    if spoken() == "zh":
        return profile.zh.replace(_plain(profile.models[0]), model or _plain(profile.models[0]), 1)
    maker = "" if profile.maker == _NOBODY else profile.maker
    return f"{maker} {model or _plain(profile.models[0])}".strip()


def _plain(model: str) -> str:
    """Give a model without the protocol that makers put behind it."""
    return model.removesuffix("-Modbus")


def alias(profile: Profile, typed: str) -> str:
    """Give the model that somebody has typed; empty where that leaves it open."""
    words = typed.lower().split()
    fitting = [one for one in profile.models if words and all(w in _squeezed(one) for w in words)]
    return _plain(fitting[0]) if len(fitting) == 1 else ""


def without_maker(name: str, profile: Profile) -> str:
    """Give a profile's name without its maker's, as it does for a device's name."""
    maker = re.sub("[^a-z0-9]", "", profile.maker.lower())
    return name.removeprefix(f"{maker}-")


def trust_in(profile: Profile) -> str:
    """Say how sure a profile is."""
    return _("unverified") if profile.is_unverified else _("from maker's manual")


def profile_title(driver: str, name: str, folder: Path | None = None) -> str:
    """Give what people call the model of a profile; its name where it cannot be read."""
    try:
        profile = Library(folder).load(driver, name)
        return title_of(profile, alias(profile, name))
    except ProfileUnavailable:
        return name


def profile_wording(
    driver: str, name: str, point: str, folder: Path | None = None
) -> tuple[str, str]:
    """Give label and unit of a profile's point, in the language that is spoken."""
    try:
        known = Library(folder).load(driver, name).points[point]
    except (ProfileUnavailable, KeyError):
        return point, ""
    return in_words(known.label), known.unit


class Chosen(NamedTuple):
    """A profile that somebody chose, and the letters that were typed to find it."""

    name: str
    typed: str = ""


def profile_of(id: str, driver: str, *, folder: Path | None = None) -> Steps[str | None]:  # noqa: A002
    """Ask which device it is; give the name of its profile, None where none fits."""
    chosen = yield from choice_of(id, driver, folder=folder)
    return chosen.name if chosen else None


def choice_of(
    id: str,  # noqa: A002 - the word of Question
    driver: str,
    suggested: Sequence[str] = (),
    facts: str = "",
    *,
    certain: bool = False,
    folder: Path | None = None,
) -> Steps[Chosen | None]:
    """Ask which device it is.

    Args:
        id: The questions begin with it.
        driver: Whose profiles.
        suggested: Names of profiles that it may be, the likeliest first.
        facts: What was seen of it.
        certain: The first one is it.
        folder: That of the configuration, which may have profiles of its own.

    Returns:
        None where no profile fits.
    """
    known = profiles_of(driver, folder)
    likely = [name for name in suggested if name in known][:_OFFERED]
    answer = yield from ask(_which(id, known, likely, facts, certain=certain))
    if answer == OTHER:
        return None
    if answer in known:
        return Chosen(answer, answer)
    found = sorted(search(known, answer), key=lambda name: name not in likely)
    name = yield from ask(_found(id, known, found, answer))
    if name == SEARCH:
        yield Rewind(f"{id}.profile")
    return None if name == OTHER else Chosen(name, answer)


def profiles_of(driver: str, folder: Path | None = None) -> dict[str, Profile]:
    """Read the profiles for devices of a driver that have points; broken ones are left out."""
    found: dict[str, Profile] = {}
    for name, file in Library(folder).files.get(driver, {}).items():
        profile = _read(file, file.stat().st_mtime_ns)
        if profile and profile.points:
            found[name] = profile
    return found


@cache
def _read(file: Path, _changed: int) -> Profile | None:
    """Read a file anew only when it has changed: all of them take a second on a small gateway."""
    try:
        return read(file)
    except ProfileUnavailable:
        return None  # `edge-agent profiles` tells of it


def search(known: dict[str, Profile], text: str) -> list[str]:
    """Find the profiles that have all of these words, wherever: name, maker, model, 中文."""
    words = text.lower().split()
    return [name for name, one in known.items() if all(word in _text(name, one) for word in words)]


def _text(name: str, one: Profile) -> str:
    return _squeezed(" ".join((name, one.title, one.kind, one.zh)))


def _squeezed(text: str) -> str:
    """Give a text as it is, and without what people leave out."""
    lower = text.lower()
    return f"{lower} {lower.replace('-', '').replace(' ', '')}"


def _which(
    id: str,  # noqa: A002
    known: dict[str, Profile],
    likely: Sequence[str],
    facts: str,
    *,
    certain: bool,
) -> Question[str]:
    def parse(answer: str) -> str:
        if answer in known or answer == OTHER or search(known, answer.strip() or "?"):
            return answer.strip()
        raise ValueError(
            _("No device of the list has {text!r} in its name; try fewer letters.").format(
                text=answer
            )
        )

    choices = [Choice(name, _line(name, known[name])) for name in likely]
    choices.append(Choice(OTHER, _("it is not in the list, or I do not know")))
    text = _("Which device is it? Choose, or type letters of its label:")
    if certain:
        text = _("It says which device it is. Choose, or type letters of its label:")
    return Question(
        id=f"{id}.profile",
        text=text,
        parse=parse,
        choices=tuple(choices),
        default=likely[0] if likely else None,
        findable=True,
        example="sdm630",
        facts=facts,
        why=_(
            "The list knows where {number} models have their values. What is not in it can be set "
            "up with the number on its display, or with the maker's register list."
        ).format(number=len(known)),
    )


def _line(name: str, profile: Profile) -> str:
    """Write a profile as a line of a menu: what it is, and how sure that is."""
    trust = trust_in(profile)
    title = title_of(profile, alias(profile, name))
    return f"{cut(title, _ROOM - width(trust) - 2)}  {trust}"


def _found(
    id: str,  # noqa: A002
    known: dict[str, Profile],
    found: Sequence[str],
    text: str,
) -> Question[str]:
    choices = [Choice(name, _line(name, known[name])) for name in found[:_MOST]]
    choices += [
        Choice(SEARCH, _("search again")),
        Choice(OTHER, _("it is not in the list")),
    ]
    more = len(found) - _MOST
    facts = _("There are {more} more; type more letters.").format(more=more) if more > 0 else ""
    return menu(
        f"{id}.model",
        _("These have {text!r} in their name. Which one is it?").format(text=text),
        choices,
        default=found[0] if len(found) == 1 else None,
        example=found[0],
        facts=facts,
        remember=False,
        why=_("Unverified: compare all its values with the display before you rely on them."),
    )
