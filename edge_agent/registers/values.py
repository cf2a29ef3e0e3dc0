"""Turns the cells of a row that are no address into keys of a point. Pure."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from edge_agent.config.values import PERCENT_PATTERN
from edge_agent.language import _
from edge_agent.registers import numbers
from edge_agent.registers.dialect import Answers, Asked, Cells, Choice, Unclear, answered
from edge_agent.registers.units import to_ucum

T = TypeVar("T")

FACTOR, GAIN, INTERVAL = "factor", "gain", "interval"
_INTERVALS = ("every", "max_silence")
_FACTORS = ("scale", "divisor", "gain", "decimals")
_WRITE_ONLY = frozenset({"w", "wo", "write", "write only", "writeonly", "只写", "写"})
_HIGHEST_DECIMALS = 9


def questions(
    rows: Sequence[tuple[int, Cells]], hints: Mapping[str, str], *, ours: bool
) -> list[Asked]:
    """Tell what the numbers of a list leave open.

    Args:
        rows: Number and cells of each row.
        hints: What stands beside the headers.
        ours: Whether the list is one that we wrote, where a factor multiplies.
    """
    asked = [
        _asked_factor([n for n, cells in rows if not ours and _is_bare(cells.get("scale"))]),
        _asked_gain([n for n, cells in rows if _is_bare(cells.get("gain"))]),
        _asked_interval([n for n, cells in rows if _has_bare_interval(cells, hints)]),
    ]
    return [one for one in asked if one.rows]


def refuse_unreadable(cells: Cells) -> None:
    """Refuse a row of which the list itself says that it cannot be read.

    Raises:
        Unclear: It says so.
    """
    if cells.get("access", "").strip().lower() in _WRITE_ONLY:
        raise Unclear("access", _("the list says that it can only be written, not read"))


def point_of(
    cells: Cells, answers: Answers, hints: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """Read scale, unit, intervals and limits of a row.

    Returns:
        Keys of a point as in the configuration, and notes.

    Raises:
        Unclear: One of them is not clear.
    """
    notes: list[str] = []
    scale, unit_beside = _scale(cells, answers)
    point: dict[str, Any] = {"scale": scale} if scale != 1 else {}
    point |= _add(cells) | _unit(cells, unit_beside, notes)
    point |= {
        key: _interval(cells[key], hints.get(key, ""), answers)
        for key in _INTERVALS
        if key in cells
    }
    return point | _limits(cells), notes


def _add(cells: Cells) -> dict[str, Any]:
    add = _number(cells, "add") if "add" in cells else 0
    return {"add": add} if add else {}


def _limits(cells: Cells) -> dict[str, Any]:
    """Give what says whether a value is news, and whether it is one at all."""
    found: dict[str, Any] = {}
    if "deadband" in cells:
        found["deadband"] = _deadband(cells["deadband"])
    if "no_value" in cells:
        found["no_value"] = _codes(cells["no_value"])
    if "low" in cells or "high" in cells:
        found["range"] = [_number(cells, "low"), _number(cells, "high")]
    return found


def _scale(cells: Cells, answers: Answers) -> tuple[float | int, str]:
    """Give the factor and the unit that stands behind it; 1 where a row has none."""
    given = [key for key in _FACTORS if cells.get(key, "-") not in {"-", "--", "/"}]
    found = [(key, *_factor(key, cells[key], answers)) for key in given]
    told = [one for one in found if one[1] != 1] or found[:1]
    if len({factor for _key, factor, _unit in told}) > 1:
        message = _("{first} and {second} contradict each other: leave one out")
        raise Unclear("scale", message.format(first=told[0][0], second=told[1][0]))
    return (told[0][1], told[0][2]) if told else (1, "")


def _factor(key: str, text: str, answers: Answers) -> tuple[float | int, str]:
    try:
        if key == "decimals":
            return _of_decimals(text), ""
        asked = {"scale": FACTOR, "gain": GAIN}.get(key)
        divides = key == "divisor"
        if asked and _is_bare(text) and (asked == GAIN or asked in answers):
            divides = answered(asked, answers) == "divide"
        return numbers.to_factor(text, divides=divides)
    except Unclear:
        raise
    except ValueError as error:
        raise Unclear("scale", str(error)) from error


def _of_decimals(text: str) -> float | int:
    number = numbers.to_number(text)
    if number not in range(_HIGHEST_DECIMALS + 1):
        raise ValueError(_("{text!r} is no number of decimals").format(text=text))
    return numbers.to_factor(f"10^-{number}")[0]


def _is_bare(text: str | None) -> bool:
    """Tell whether a factor is a number above 1 that does not say whether it divides."""
    return text is not None and numbers.is_bare(text) and not numbers.has_sign(text)


def _unit(cells: Cells, beside: str, notes: list[str]) -> dict[str, str]:
    written = cells.get("unit", "") or beside
    code, is_known = to_ucum(written)
    if not is_known:
        notes.append(
            _("the unit {unit!r} is kept, its UCUM code is not known").format(unit=written)
        )
    return {"unit": code} if code else {}


def _interval(text: str, hint: str, answers: Answers) -> str | float:
    try:
        unit = hint.strip() if _says_unit(hint) else ""
        seconds = numbers.to_seconds(text, unit)
        if seconds is None:
            seconds = numbers.to_seconds(text, answered(INTERVAL, answers))
    except Unclear:
        raise
    except ValueError as error:
        raise Unclear("interval", str(error)) from error
    return as_duration(seconds or 0)


def as_duration(seconds: float) -> str | float:
    """Write an interval as configurations have it."""
    if float(seconds).is_integer():
        return f"{int(seconds)}s"
    milliseconds = seconds * 1000
    return f"{int(milliseconds)}ms" if milliseconds.is_integer() else seconds


def _has_bare_interval(cells: Cells, hints: Mapping[str, str]) -> bool:
    return any(
        key in cells and numbers.is_bare(cells[key]) and not _says_unit(hints.get(key, ""))
        for key in _INTERVALS
    )


def _says_unit(hint: str) -> bool:
    try:
        return numbers.to_seconds("1", hint.strip()) is not None
    except ValueError:
        return False


def _deadband(text: str) -> float | int | str:
    if re.fullmatch(PERCENT_PATTERN, text):
        return text
    return _read(numbers.to_number, text)


def _number(cells: Cells, key: str) -> float | int:
    if key not in cells:
        raise Unclear("value", _("low and high belong together: write both"))
    return _read(numbers.to_number, cells[key])


def _read(reads: Callable[[str], T], text: str) -> T:
    try:
        return reads(text)
    except ValueError as error:
        raise Unclear("value", str(error)) from error


def _codes(text: str) -> list[Any]:
    """Read raw values that mean none: a JSON list, or numbers with signs between them."""
    if text.startswith("["):
        try:
            found: list[Any] = json.loads(text)
        except ValueError as error:
            message = _("{text!r} is no list of raw values").format(text=text)
            raise Unclear("value", message) from error
        return found
    _read(numbers.refuse_groups, text)
    return [_code(one) for one in re.split(r"[;,/、\s]+", text) if one]


def _code(text: str) -> Any:
    try:
        return int(text, 0)
    except ValueError:
        return numbers.to_number(text) if numbers.is_bare(text) else text


def _asked_factor(rows: Sequence[int]) -> Asked:
    return Asked(
        FACTOR,
        _("Factors such as 10 in the list: is the raw number multiplied or divided by them?"),
        (Choice("multiply", _("multiplied")), Choice("divide", _("divided"))),
        "multiply",
        rows=rows,
    )


def _asked_gain(rows: Sequence[int]) -> Asked:
    return Asked(
        GAIN,
        _("The list has a column of gains. What do they mean?"),
        (
            Choice("divide", _("the raw number divided by the gain is the value")),
            Choice("multiply", _("the raw number times the gain is the value")),
        ),
        why=_("Makers use the word for both."),
        rows=rows,
    )


def _asked_interval(rows: Sequence[int]) -> Asked:
    return Asked(
        INTERVAL,
        _("The list has intervals without a unit. What do they count?"),
        (Choice("ms", _("milliseconds")), Choice("s", _("seconds"))),
        rows=rows,
    )
