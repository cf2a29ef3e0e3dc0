"""Turns what a server says about one node into a sample. Pure; imports no asyncua."""

import base64
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from edge_agent.driver import Flaw, Quality, Sample, Why, bad
from edge_agent.language import _
from edge_agent_opcua.parts import NoSuchPart, Piece, pick

SEVERITY_SHIFT = 30
"""The two highest bits of a status code are its severity. Source: OPC 10000-4, 7.39.1."""
UNCERTAIN = 1

# The server will not give this node, whatever the machine does. Source: OPC 10000-6, A.2.
REFUSALS = {
    0x801F0000: "BadUserAccessDenied",
    0x80330000: "BadNodeIdInvalid",
    0x80340000: "BadNodeIdUnknown",
    0x80350000: "BadAttributeIdInvalid",
    0x803A0000: "BadNotReadable",
}
BAD_WAITING_FOR_INITIAL_DATA = 0x80320000
BAD_NODE_ID_UNKNOWN = 0x80340000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_AS_THEY_ARE = frozenset({bool, int, float})


class Form(NamedTuple):
    """What of a value is wanted.

    Attributes:
        pieces: Which part of an array or structure; empty for all of it.
        as_text: Numbers of an enumeration as their names, arrays and structures as JSON.
        names: Of the enumeration, where there is one.
    """

    pieces: tuple[Piece, ...] = ()
    as_text: bool = False
    names: Mapping[int, str] = {}


WHOLE = Form()


def milliseconds(time: datetime | None) -> int | None:
    """Give a server's time in milliseconds since 1970 UTC; None if there is none.

    A time before 1970 means that the server has none to give (DateTime.MinValue is 1601).
    """
    if time is None:
        return None
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MILLISECOND if aware >= _EPOCH else None


def to_sample(
    value: object, status: int, name: str, time: int | None, form: Form = WHOLE
) -> Sample:
    """Make a sample of a value with its status code.

    Args:
        value: Plain, with lists for arrays and dicts for structures; not looked at when bad.
        status: The 32 bits of the status code.
        name: The status code's name, for people.
        time: The source's time, else the server's, in milliseconds since 1970 UTC.
        form: What of the value is wanted.
    """
    severity = status >> SEVERITY_SHIFT
    if severity > UNCERTAIN:
        return Sample(None, Flaw(Quality.BAD, _why_bad(status), name), time)
    sample = _formed(value, form)
    if sample.flaw is not None:
        return sample._replace(time=time)
    if severity == UNCERTAIN:
        return Sample(sample.value, Flaw(Quality.UNCERTAIN, Why.DEVICE_UNCERTAIN, name), time)
    return Sample(sample.value, None, time)


def _why_bad(status: int) -> Why:
    code = status & 0xFFFF0000  # the lower bits say something about the value, not the kind
    if code in REFUSALS:
        return Why.REFUSED
    return Why.STARTING if code == BAD_WAITING_FOR_INITIAL_DATA else Why.DEVICE_BAD


def _formed(value: Any, form: Form) -> Sample:
    if form.pieces and value is not None:
        try:
            value = pick(value, form.pieces)
        except NoSuchPart as error:
            return bad(Why.NO_VALUE, str(error))
    if value is None:
        return bad(Why.NO_VALUE, _("the node holds no value"))
    if form.as_text:
        return _in_words(value, form.names)
    return _single(value)


def _single(value: Any) -> Sample:
    if type(value) in _AS_THEY_ARE:
        return Sample(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, datetime | bytes):
        return Sample(_written(value))
    if isinstance(value, list):
        what = _("an array of {len}: name one element as `part`, such as [0]").format(
            len=len(value)
        )
    elif isinstance(value, dict):
        what = _("a structure: name one field as `part`, of: {value}").format(
            value=", ".join(value)
        )
    else:
        return bad(
            Why.DECODE_ERROR,
            _("values of the kind {kind} are not read").format(kind=type(value).__name__),
        )
    return bad(
        Why.DECODE_ERROR,
        _("the value is {what}; or write `text: true` to have it as JSON").format(what=what),
    )


def _in_words(value: Any, names: Mapping[int, str]) -> Sample:
    if isinstance(value, list | dict):
        return _text(json.dumps(_jsonable(value), ensure_ascii=False, separators=(",", ":")))
    if type(value) is int:
        if not names:
            return bad(
                Why.DECODE_ERROR,
                _(
                    "the server has no names for this node's numbers, now {value}: remove `text`"
                ).format(value=value),
            )
        return _text(names.get(value, str(value)))
    return _single(value)


def _jsonable(value: Any) -> Any:
    if isinstance(value, list):
        return [_jsonable(inner) for inner in value]
    if isinstance(value, dict):
        return {name: _jsonable(inner) for name, inner in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON knows neither NaN nor infinity
    return _written(value) if isinstance(value, datetime | bytes) else value


def _text(value: str) -> Sample:
    try:
        value.encode()
    except UnicodeEncodeError:  # bytes that are no UTF-8 arrive as lone surrogates
        return bad(Why.DECODE_ERROR, _("the text is not UTF-8"))
    return Sample(str(value))


def _written(value: datetime | bytes) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.isoformat(timespec="milliseconds").replace("+00:00", "Z")
