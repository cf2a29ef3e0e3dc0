"""Factors and intervals as lists write them. Pure functions that raise ValueError."""

import math
import re
import unicodedata
from decimal import Decimal
from fractions import Fraction

from edge_agent.language import _

_NUMBER = r"[-+]?(?:[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?"
_FACTOR = re.compile(
    rf"(?P<sign>[*x×/÷:]|1/|1:)? ?(?P<one>{_NUMBER})(?: ?[/:÷] ?(?P<two>{_NUMBER}))?(?P<rest>.*)"
)
_POWER = re.compile(r"[*x×]? ?10\^ ?([-+]?[0-9]{1,2})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*|[0-9]{2}:[0-9]{2}:[0-9]{2}.*")
_DURATION = re.compile(rf"({_NUMBER}) ?([a-zμ\u3400-\u9fff.]*)")

# A thousand in English lists, and one with three decimals in German ones.
_GROUPED = re.compile(r"(?<![0-9.,])[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9])")

_DIVIDES = frozenset({"/", "÷", ":", "1/", "1:"})
_SECONDS = {
    "ms": 0.001, "msec": 0.001, "毫秒": 0.001,
    "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "秒": 1.0,
    "m": 60.0, "min": 60.0, "minute": 60.0, "minutes": 60.0, "分": 60.0, "分钟": 60.0,
    "h": 3600.0, "hour": 3600.0, "hours": 3600.0, "小时": 3600.0, "时": 3600.0,
    "d": 86400.0, "day": 86400.0, "天": 86400.0,
}  # fmt: skip


def plain(number: float) -> float | int:
    """Write a whole number as one, so that the configuration reads as it was typed."""
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def to_number(text: str) -> float | int:
    """Read a plain number, with a point or a comma."""
    written = _normal(text)
    refuse_groups(text)
    if not re.fullmatch(_NUMBER, written):
        raise ValueError(_("{text!r} is no number").format(text=text) + _date_hint(text))
    return plain(_float(written))


def to_factor(text: str, *, divides: bool = False) -> tuple[float | int, str]:
    """Read by what a raw value is multiplied: `0.1`, `1/10`, `×10`, `/10`, `0.1 V`, `10^-1`.

    Args:
        text: As written.
        divides: Whether a number without a sign divides, as in a column of divisors.

    Returns:
        The factor, and what stands behind it, which is a unit.
    """
    written = _normal(text)
    refuse_groups(text)
    if power := _POWER.fullmatch(written):
        return plain(float(Decimal(1).scaleb(int(power[1])))), ""
    found = _FACTOR.fullmatch(written)
    if found is None or _DATE.fullmatch(written):
        raise _no_factor(text)
    inverts = not found["two"] and (found["sign"] in _DIVIDES or (divides and not found["sign"]))
    try:
        exact = Fraction(_dotted(found["one"])) / Fraction(_dotted(found["two"] or "1"))
        number = float(1 / exact if inverts else exact)
    except (ValueError, ZeroDivisionError, OverflowError):
        number = 0.0
    if number == 0 or not math.isfinite(number):
        raise _no_factor(text)
    return plain(number), found["rest"].strip()


def has_sign(text: str) -> bool:
    """Tell whether a factor itself says that it multiplies or divides, or could only multiply."""
    written = _normal(text)
    found = _FACTOR.fullmatch(written)
    return found is None or bool(found["sign"] or found["two"]) or abs(_float(found["one"])) <= 1


def to_seconds(text: str, unit: str) -> float | None:
    """Read an interval: `500ms`, `5 s`, `1分钟`; a bare number counts `unit`s.

    Returns:
        Seconds; None for a bare number where nobody said what it counts.
    """
    written = _normal(text).lower()
    refuse_groups(text)
    found = _DURATION.fullmatch(written)
    said = (found[2].rstrip(".") or unit.lower()) if found else ""
    if found is None or (said and said not in _SECONDS) or _float(found[1]) <= 0:
        raise ValueError(
            _("{text!r} is no interval: write one like 500ms, 5s or 1m").format(text=text)
            + _date_hint(text)
        )
    return round(_float(found[1]) * _SECONDS[said], 9) if said else None


def is_bare(text: str) -> bool:
    """Tell whether this is a number and nothing else."""
    return re.fullmatch(_NUMBER, _normal(text)) is not None


def is_grouped(text: str) -> bool:
    """Tell whether a comma may stand between thousands as well as before decimals: `1,000`."""
    return _GROUPED.search(text) is not None


def refuse_groups(text: str) -> None:
    """Raise ValueError where a comma leaves open what a number is."""
    if is_grouped(_normal(text)):
        raise ValueError(
            _("{text!r} may be a thousand, or have decimals: write it without a comma").format(
                text=text
            )
        )


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).replace("−", "-").split())


def _dotted(number: str) -> str:
    return number.replace(",", ".")


def _float(number: str) -> float:
    return float(_dotted(number))


def _no_factor(text: str) -> ValueError:
    message = _("{text!r} is no factor: write one like 0.1, 1/10 or ×10").format(text=text)
    return ValueError(message + _date_hint(text))


def _date_hint(text: str) -> str:
    if not _DATE.fullmatch(text):
        return ""
    return _("; the spreadsheet made a date of it: format the cells as text and type it again")
