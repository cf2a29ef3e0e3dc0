"""What may be done with numbers in a recipe, and how large they may become. Pure."""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from edge_agent.language import _

LARGEST_EXPONENT = 64
"""Of `**`: 10**64 is more than any instrument shows."""
LARGEST = 2**256
"""A whole number beyond it is a mistake, not a measurement."""

ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs,
    "round": round,
    "len": len,
    "min": min,
    "max": max,
}


def number(value: Any) -> Any:
    """Let a number pass."""
    if not isinstance(value, bool | int | float):
        raise TypeError(_("{value!r} is no number").format(value=value))
    return value


def bounded(value: Any) -> Any:
    """Let a result pass that an instrument may have meant."""
    if isinstance(value, complex):
        raise TypeError(_("a root of a negative number is no number"))
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError(_("the number is too large"))
    return value


def power(base: Any, exponent: Any) -> Any:
    """Raise to a power that does not take for ever."""
    if abs(exponent) > LARGEST_EXPONENT:
        raise ValueError(
            _("an exponent is at most {largest_exponent}").format(largest_exponent=LARGEST_EXPONENT)
        )
    return operator.pow(base, exponent)
