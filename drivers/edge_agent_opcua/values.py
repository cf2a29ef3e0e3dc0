"""Turns what a server says about one node into a sample. Pure; imports no asyncua."""

from datetime import UTC, datetime, timedelta

from edge_agent.driver import Flaw, Quality, Sample, Value, Why, bad

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

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(time: datetime | None) -> int | None:
    """Give a server's time in milliseconds since 1970 UTC; None if there is none.

    A time before 1970 means that the server has none to give (DateTime.MinValue is 1601).
    """
    if time is None:
        return None
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MILLISECOND if aware >= _EPOCH else None


def to_sample(value: object, status: int, name: str, time: int | None) -> Sample:
    """Make a sample of a value with its status code.

    Args:
        value: As decoded; not looked at when the status is bad.
        status: The 32 bits of the status code.
        name: The status code's name, for people.
        time: The source's time, else the server's, in milliseconds since 1970 UTC.
    """
    severity = status >> SEVERITY_SHIFT
    if severity > UNCERTAIN:
        return Sample(None, Flaw(Quality.BAD, _why_bad(status), name), time)
    sample = _to_value(value)
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


def _to_value(value: object) -> Sample:
    if value is None:
        return bad(Why.NO_VALUE, "the node holds no value")
    plain: Value = None
    if isinstance(value, bool | int | float):
        plain = value
    elif isinstance(value, datetime):
        plain = _as_text(value)
    elif isinstance(value, str):
        return _text(value)
    if plain is None:
        return bad(
            Why.DECODE_ERROR,
            f"only numbers, text and times can be read yet, not {type(value).__name__}",
        )
    return Sample(plain)


def _text(value: str) -> Sample:
    try:
        value.encode()
    except UnicodeEncodeError:  # bytes that are no UTF-8 arrive as lone surrogates
        return bad(Why.DECODE_ERROR, "the text is not UTF-8")
    return Sample(str(value))


def _as_text(time: datetime) -> str:
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return aware.isoformat(timespec="milliseconds").replace("+00:00", "Z")
