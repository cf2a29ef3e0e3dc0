"""What the wizard asks about a device of a known model, for every driver with profiles.

Which model it is, what only somebody in front of it knows, and whether the values are those on its
display; then what to collect.
"""

from edge_agent.command import DEVICE_UNREADABLE
from edge_agent.config.profile import Parameter, answer
from edge_agent.language import _
from edge_agent.setup.draft import Values
from edge_agent.setup.kind import Draft, Link
from edge_agent.setup.profile_check import (
    Case,
    Subject,
    as_shown,
    compare,
    is_read,
    reading,
    table,
    why_unread,
)
from edge_agent.setup.profile_choice import (
    alias,
    choice_of,
    in_words,
    profiles_of,
    title_of,
    without_maker,
)
from edge_agent.setup.profile_preset import Load, collect
from edge_agent.setup.profile_trial import busy
from edge_agent.setup.question import Back, Choice, Question, Steps, ask, look, what_now

__all__ = ["Subject", "profile_steps", "same_again"]


def profile_steps(id: str, link: Link, subject: Subject) -> Steps[Draft | None]:  # noqa: A002
    """Set a device up by a profile.

    Returns:
        None where no profile fits: then its values have to be asked for one by one.
    """
    chosen = yield from choice_of(
        id,
        subject.driver,
        subject.suggested,
        subject.facts,
        certain=subject.certain,
        folder=subject.folder,
    )
    if chosen is None:
        return None
    profile = profiles_of(subject.driver, subject.folder)[chosen.name]
    case = Case(id, link, subject, chosen.name, profile, alias(profile, chosen.typed))
    for key, parameter in case.profile.parameters.items():
        case.parameters[key] = yield from ask(_parameter(f"{id}.parameter.{key}", parameter))
    seen = yield from compare(case)
    if seen is None:
        return None
    link.settings.update(case.settings)
    load = _load(case, seen.get("answer_time"))
    device = yield from collect(id, case.profile, case.device, load)
    return _draft(case, device, seen)


def same_again(
    id: str,  # noqa: A002
    link: Link,
    device: Values,
    subject: Subject,
    otherwise: str = "",
) -> Steps[Draft]:
    """Set a device up like one that is there, at another address; it is read once.

    Args:
        id: The questions begin with it.
        link: What it hangs on.
        device: The one that is there, as in the file.
        subject: The new one.
        otherwise: What is asked again where its values do not match; empty where nothing is.
    """
    mine = {key: value for key, value in device.items() if key not in {"name", "label", "address"}}
    copy = {**mine, "address": subject.address}
    live = reading(f"{id}.live", subject.driver, link.settings, copy, subject.folder)
    seen = yield from look(live)
    known = profiles_of(subject.driver, subject.folder).get(str(device.get("profile")))
    facts = "\n".join(table(known, seen)) if is_read(seen) else why_unread(seen)
    yield from _confirm_copy(id, facts, otherwise, is_there=is_read(seen))
    return Draft(
        copy,
        label=str(device.get("label", "")),
        compared=as_shown(seen),
        at=seen.get("at"),
        answer_time=seen.get("answer_time"),
    )


def _confirm_copy(id: str, facts: str, otherwise: str, *, is_there: bool) -> Steps[None]:  # noqa: A002
    ways: list[Choice | Back] = [
        Choice("keep", _("yes") if is_there else _("keep it, the device will be there later")),
        Back("again", _("read again"), f"{id}.live"),
    ]
    if otherwise:
        ways.insert(1, Back("no", _("no: tell its values in another way"), otherwise))
    yield from what_now(
        f"{id}.match" if is_there else f"{id}.trouble",
        _("Does it match the display?") if is_there else _("It could not be read. What now?"),
        ways,
        default=None if is_there else "again",
        example="keep",
        facts=facts,
        exit_code=DEVICE_UNREADABLE,
        why=_("b goes back one question."),
    )


def _parameter(id: str, parameter: Parameter) -> Question[float | str]:  # noqa: A002
    def parse(written: str) -> float | str:
        number = answer(written.replace("：", "/").replace(":", "/"), parameter)
        return written if "/" in written else int(number) if number.is_integer() else number

    default = None if parameter.default is None else f"{parameter.default:g}"
    return Question(
        id=id,
        text=in_words(parameter.question),
        parse=parse,
        choices=tuple(Choice(f"{each:g}", f"{each:g}") for each in parameter.choices),
        default=default,
        example="600/5",
        why=_(
            "Nobody can measure this: it stands on the label of the transformer, or in the menu of "
            "the device. A ratio may be written as 600/5."
        ),
    )


def _load(case: Case, answer_time: float | None) -> Load:
    """Tell what a device costs on its line, besides those that are there."""
    subject = case.subject

    def load(device: Values) -> float | None:
        link = case.link
        times = [*(link.answer_times.get(one["name"]) for one in link.devices), answer_time]
        devices = [*link.devices, device]
        return busy(subject.driver, case.settings, devices, times, subject.folder)

    return load


def _draft(case: Case, device: Values, seen: Values) -> Draft:
    """Propose the name that stands on the device, as far as somebody has typed it."""
    name = case.model.lower() or without_maker(case.name, case.profile)
    return Draft(
        device,
        name=name,
        label=title_of(case.profile, case.model),
        compared=as_shown(seen),
        at=seen.get("at"),
        answer_time=seen.get("answer_time"),
    )
