"""Numbers as instruments write them: blanks after the sign, a point or a comma. Pure."""

import re

_NUMBER = re.compile(
    r"([+-]?) *(\d{1,40}(?:[.,]\d{0,40})?|[.,]\d{1,40})((?:[eE][+-]?\d{1,3})?)", re.ASCII
)
_DIGITS = {2: "[01]", 10: "[0-9]", 16: "[0-9A-Fa-f]"}
_INT = {base: re.compile(rf"([+-]?) *({digit}{{1,64}})") for base, digit in _DIGITS.items()}


def to_number(text: str) -> float | None:
    """Read a number; None if it is none, or two are possible as in `1,234.5`."""
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return None
    sign, digits, exponent = found.groups()
    return float(sign + digits.replace(",", ".") + exponent)


def to_int(text: str, base: int = 10) -> int | None:
    """Read a whole number; None if it is none."""
    found = _INT[base].fullmatch(text.strip())
    return int("".join(found.groups()), base) if found else None
