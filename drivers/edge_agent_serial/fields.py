"""Makes typed fields of raw values. Pure.

A field never guesses: what cannot be read is no value, with the reason `decode_error`.
"""

import math
from collections.abc import Mapping

from edge_agent.driver import Flaw, Quality, Why
from edge_agent_serial.expression import ExpressionFailed, Scalar
from edge_agent_serial.field import Field
from edge_agent_serial.parsing import Absent, Unreadable

__all__ = ["Field", "make_fields"]


def make_fields(
    fields: Mapping[str, Field], raw: Mapping[str, Scalar]
) -> tuple[dict[str, Scalar], dict[str, Flaw]]:
    """Make all fields of a frame.

    Returns:
        All values, raw ones included, and the flaws of those that are there and cannot be read.
    """
    known: dict[str, Scalar] = dict(raw)
    for name, field in fields.items():
        try:
            known.update(field.values(name, known))
        except ExpressionFailed as error:
            known[name] = Unreadable(str(error))
    flaws: dict[str, Flaw] = {}
    for name, value in known.items():
        if isinstance(value, Unreadable):
            why = Why.NO_VALUE if isinstance(value, Absent) else Why.DECODE_ERROR
            flaws[name] = Flaw(Quality.BAD, why, str(value))
        elif isinstance(value, float) and not math.isfinite(value):
            flaws[name] = Flaw(Quality.BAD, Why.NOT_A_NUMBER)
    known.update(dict.fromkeys(flaws))
    return known, flaws
