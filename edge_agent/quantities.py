"""Durations and sizes as people write them: `200ms`, `8h`, `64KiB`. Pure."""

import re
from collections.abc import Mapping
from typing import TypeGuard

from edge_agent.language import _

# Units accepted in the configuration; the published contract lists ms, s, m, h, d, KiB and GiB.
DURATION_UNITS: Mapping[str, float] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SIZE_UNITS: Mapping[str, int] = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
LARGEST = 10**15

DURATION_PATTERN = r"(\d{1,15}(?:\.\d{1,15})?) ?(ms|s|m|h|d)"
SIZE_PATTERN = r"(\d{1,15}(?:\.\d{1,15})?) ?(B|KiB|MiB|GiB)"

_DURATION = re.compile(DURATION_PATTERN, re.ASCII)
_SIZE = re.compile(SIZE_PATTERN, re.ASCII)


def seconds(written: object) -> float:
    """Read a duration: `200ms`, `1s`, `5m`, `8h`, `30d`, or seconds as a number.

    Raises:
        ValueError: It is not a duration; the message says what one looks like.
    """
    if isinstance(written, str) and (match := _DURATION.fullmatch(written)):
        return float(match[1]) * DURATION_UNITS[match[2]]
    if _is_amount(written):
        return float(written)
    raise ValueError(
        _(
            "{written!r} is not a duration; write one like 200ms, 1s, 5m, 8h or 30d, "
            "or seconds as a number"
        ).format(written=written)
    )


def size(written: object) -> int:
    """Read a size in bytes: `64KiB`, `1GiB`, or bytes as a whole number.

    Raises:
        ValueError: It is not a size; the message says what one looks like.
    """
    if isinstance(written, str) and (match := _SIZE.fullmatch(written)):
        return int(float(match[1]) * SIZE_UNITS[match[2]])
    if _is_amount(written) and written == int(written):
        return int(written)
    raise ValueError(
        _(
            "{written!r} is not a size; write one like 64KiB, 100MiB or 1GiB, or bytes as a number"
        ).format(written=written)
    )


def _is_amount(written: object) -> TypeGuard[float]:
    """Tell whether it is a finite number, not negative, and small enough to calculate with."""
    if isinstance(written, bool) or not isinstance(written, int | float):
        return False
    return 0 <= written <= LARGEST  # false for NaN
