"""What a plain YAML scalar means: the core schema of YAML 1.2, and nothing of YAML 1.1. Pure.

`off`, `no` and `yes` are text, `00001` is the number 1 and `0x6B` the number 107.
Source: YAML 1.2.2, section 10.3.2 (tag resolution of the core schema).
"""

import math
import re

from edge_agent.language import _

Scalar = str | int | float | bool | None

_CONSTANTS: dict[str, Scalar] = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"]),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
    **dict.fromkeys([".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"], math.inf),
    **dict.fromkeys(["-.inf", "-.Inf", "-.INF"], -math.inf),
    **dict.fromkeys([".nan", ".NaN", ".NAN"], math.nan),
}
_STARTS_A_NUMBER = frozenset("0123456789+-.")
_INTEGERS = (
    (re.compile(r"[-+]?[0-9]+"), 10),
    (re.compile(r"0x[0-9a-fA-F]+"), 16),
    (re.compile(r"0o[0-7]+"), 8),
)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
# Longer numbers stay text: nothing here needs them, and Python refuses to convert huge ones.
_LONGEST_NUMBER = 100
_LONGEST_SHOWN = 60


class WrittenInt(int):
    """A whole number that was not written in the usual way, such as `0x006B` or `00001`.

    It is the number, and `text` is what stands in the file: in a register address the way of
    writing carries meaning.
    """

    text: str

    def __new__(cls, value: int, text: str) -> "WrittenInt":
        number = super().__new__(cls, value)
        number.text = text
        return number


def plain(text: str) -> Scalar:
    """Give the meaning of a scalar that was written without quotes."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _STARTS_A_NUMBER or len(text) > _LONGEST_NUMBER:
        return text
    for form, base in _INTEGERS:
        if form.fullmatch(text):
            return _as_written(int(text, base), text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _as_written(value: int, text: str) -> int:
    return value if str(value) == text else WrittenInt(value, text)


def shown(value: object) -> str:
    """Show a value the way it stands in the file, shortened."""
    if isinstance(value, dict):
        return _("keys with values")
    if isinstance(value, list):
        return _("a list")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = quoted(value)
    else:
        text = value.text if isinstance(value, WrittenInt) else repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def quoted(text: str) -> str:
    """Put text into quotes without changing it, unless it holds what cannot be printed."""
    if not text.isprintable():
        return repr(text)
    mark = '"' if "'" in text and '"' not in text else "'"
    return f"{mark}{text}{mark}"
