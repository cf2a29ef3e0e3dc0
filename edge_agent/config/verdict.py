"""What a driver's type says about a value: everything that is wrong with it, not only the first.

A type looks at what its keys mean together only where each is right by itself. So keys that are
wrong are set aside, and it looks again at the rest. Pure.
"""

import re
from collections.abc import Iterable, Sequence, Set
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from edge_agent.config.findings import Complaint, complaints
from edge_agent.config.wording import Words
from edge_agent.language import _

Checked = TypeVar("Checked", bound=BaseModel)


class Verdict(NamedTuple, Generic[Checked]):
    """What a value was found to be.

    Attributes:
        checked: What it became; None where anything is wrong.
        rest: What it is without the keys that are wrong; None where that is nothing whole.
        wrong: Everything that is wrong, each thing once.
    """

    checked: Checked | None
    rest: Checked | None
    wrong: Sequence[Complaint]


def judge(model: type[Checked], value: Any, *, whole: bool = True) -> Verdict[Checked]:
    """Let a driver's type check a value, again and again until nothing more is found.

    Args:
        model: The type.
        value: What was written.
        whole: Whether what later looks say about the value as a whole is worth hearing. It is not
            where keys give others their meaning, as an address's type does for the rest of it.
    """
    checked, wrong = _once(model, value)
    found, rest, aside = list(wrong), value, set[object]()
    while keys := _to_set_aside(wrong, rest):
        aside |= keys
        rest = {key: inner for key, inner in rest.items() if key not in keys}
        checked, wrong = _once(model, rest)
        found += [one for one in wrong if _is_new(one, rest, aside, whole=whole)]
    return Verdict(None if found else checked, checked, list(dict.fromkeys(found)))


def bug(error: Exception) -> Complaint:
    """Complain about a driver whose own check fails: its bug costs its connection alone."""
    message = _("the driver's own check fails on this, {kind}: {error}").format(
        kind=type(error).__name__, error=error
    )
    return (), (message, _("write it as its sample does: `edge-agent drivers NAME`"))


def _once(model: type[Checked], value: Any) -> tuple[Checked | None, Sequence[Complaint]]:
    try:
        return model.model_validate(value), ()
    except ValidationError as failure:
        return None, list(complaints(failure, model, value))
    except Exception as error:  # noqa: BLE001 - the driver's own code
        return None, [bug(error)]


def _to_set_aside(wrong: Sequence[Complaint], value: Any) -> Set[object]:
    """Give the keys that were complained about, else those that a complaint speaks of.

    What is wrong with the text form of an address (`at`) hides the rest, and seldom names the key.
    """
    if not isinstance(value, dict) or not wrong:
        return frozenset()
    keys = value.keys()
    return (
        keys & {place[0] for place, _ in wrong if place}
        or keys & {word for _, words in wrong for word in _spoken(words)}
        or keys & {"at"}
    )


def _is_new(complaint: Complaint, rest: Any, aside: Set[object], *, whole: bool) -> bool:
    """Tell whether it would be said even if no key had been set aside.

    That is so of a key that stands there. Of the whole it is not if it speaks of such a key.
    """
    place, words = complaint
    return place[0] in rest if place else whole and not aside & set(_spoken(words))


def _spoken(words: Words) -> Iterable[str]:
    return re.findall(r"\w+", " ".join(words), re.ASCII)
