"""Settles what a list leaves open by reading one known value in every way that is possible.

Nothing about registers is known here: the list is read with every answer, each gives an address,
all of them are read from the device, and what its display shows tells which one is right.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge_agent.language import _
from edge_agent.registers.dialect import Answers, Asked
from edge_agent.registers.listed import RegisterList
from edge_agent.registers.numbers import to_number
from edge_agent.registers.table import ListUnreadable

MOST_WAYS = 200
_DRIFT = 0.02  # of the number: so much may have changed between the display and the reading

ReadList = Callable[[Answers], RegisterList]
ReadPoints = Callable[[Sequence[Mapping[str, Any]]], Sequence[float | None]]
"""Reads points, which are as in the configuration, once; None where there is no number."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to understand a row: the answers, the point they lead to, and what was read there."""

    answers: Answers
    point: Mapping[str, Any]
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What a known value has shown.

    Attributes:
        answers: What it settles: that in which all ways agree that show the number.
        ways: Every way that was tried, one for each address, with what was read.
        why: What was found, as a sentence.
    """

    answers: Answers
    ways: Sequence[Way]
    why: str


def settle(read: ReadList, points: ReadPoints, answers: Answers, row: int, shown: str) -> Settled:
    """Read a row's value in every way, and keep the answers with which it is what is shown.

    Args:
        read: Reads the list with given answers.
        points: Reads points from the device.
        answers: Those that stand.
        row: Its number in the file.
        shown: The number that the device's display shows now, as it stands there.

    Raises:
        ListUnreadable: There is no such row, the number is none, or there are too many ways.
    """
    number, step = _display(shown)
    ways = list(_ways(read, answers, row))
    bodies = {_key(way.point): way.point for way in ways}
    values = dict(zip(bodies, points(list(bodies.values())), strict=True))
    tried = [Way(way.answers, way.point, values[_key(way.point)]) for way in ways]
    distinct = list({_key(way.point): way for way in reversed(tried)}.values())[::-1]
    fitting = _fitting(tried, number, step)
    if not fitting:
        return Settled({}, distinct, _("row {row}: no way to read it shows {shown}: {read}").format(
            row=row, shown=shown, read=_values(distinct)))  # fmt: skip
    places = {_key(way.point): way for way in fitting}
    if len(places) > 1:
        why = _("row {row}: {n} ways show {shown}; the number of another row may tell more")
        why = why.format(row=row, n=len(places), shown=shown)
    else:
        why = _("row {row} shows {shown}, read at {address}")
        why = why.format(row=row, shown=shown, address=fitting[0].point["address"])
    return Settled(dict(_agreed(fitting)), distinct, why)


def _ways(read: ReadList, answers: Answers, row: int) -> Iterator[Way]:
    """Give the point that the row is with every answer to what concerns it."""
    now = read(answers)
    if now.row(row) is None:
        raise ListUnreadable(_("the list has no row {row} with a value").format(row=row))
    questions = [one for one in (*now.questions, *now.taken) if row in one.rows]
    words = [[(one.id, choice.word) for choice in one.choices] for one in questions]
    if _product(questions) > MOST_WAYS:
        raise ListUnreadable(_("row {row} leaves too much open: answer some of {ids} first").format(
            row=row, ids=", ".join(one.id for one in questions)))  # fmt: skip
    for given in itertools.product(*words):
        found = read({**answers, **dict(given)}).row(row)
        if found is not None and found.point:
            yield Way(dict(given), found.point)


def _product(questions: Sequence[Asked]) -> int:
    found = 1
    for question in questions:
        found *= len(question.choices)
    return found


def _display(shown: str) -> tuple[float, float]:
    try:
        number = float(to_number(shown))
    except ValueError as error:
        raise ListUnreadable(str(error)) from error
    decimals = shown.replace(",", ".").partition(".")[2]
    return number, 10.0 ** -len(decimals)


def _fitting(ways: Sequence[Way], number: float, step: float) -> list[Way]:
    """Give the ways that show the number to its last digit; else those that nearly do."""
    known = [(way, abs(way.value - number)) for way in ways if way.value is not None]
    exact = [way for way, away in known if away <= step * (1 + 1e-6)]
    return exact or [way for way, away in known if away <= _DRIFT * abs(number)]


def _agreed(fitting: Sequence[Way]) -> Iterator[tuple[str, str]]:
    """Give the answers that all fitting ways have in common."""
    for id_ in fitting[0].answers:
        words = {way.answers[id_] for way in fitting}
        if len(words) == 1:
            yield id_, words.pop()


def _values(ways: Sequence[Way]) -> str:
    return ", ".join("--" if way.value is None else f"{way.value:g}" for way in ways) or "--"


def _key(point: Mapping[str, Any]) -> str:
    return json.dumps(point, sort_keys=True)
