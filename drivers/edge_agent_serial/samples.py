"""From the fields of a frame to what an address stands for. Pure."""

from collections.abc import Callable, Mapping

from edge_agent.driver import Quality, Sample, Value, Why, bad
from edge_agent.language import _
from edge_agent_serial.address import SerialAddress
from edge_agent_serial.expression import Scalar
from edge_agent_serial.frames import Frame
from edge_agent_serial.numbers import to_int, to_number


def to_sample(address: SerialAddress, frame: Frame, usual: str | None = None) -> Sample:
    """Give what the address stands for in this frame.

    Args:
        address: What is wanted.
        frame: What was said.
        usual: The type where the address names none; None leaves the value as it is.
    """
    name = address.field
    if name not in frame.fields:
        return _missing(name, frame)
    flaw = frame.flaw_of(name)
    if flaw is not None and flaw.quality is Quality.BAD:
        return Sample(None, flaw)
    sample = _typed(name, frame.fields[name], address.type or usual)
    return sample if sample.flaw else sample._replace(flaw=flaw)


def _missing(name: str, frame: Frame) -> Sample:
    """Say why there is no such field; a piece is missing where its whole has a flaw."""
    whole = name.split(".", 1)[0]
    flaw = frame.flaw_of(whole) if whole in frame.fields else None
    if flaw is not None and flaw.quality is Quality.BAD:
        return Sample(None, flaw)
    has = ", ".join(each for each, value in frame.fields.items() if value is not None)
    return bad(
        Why.REFUSED, _("there is no field {name!r}; there are: {has}").format(name=name, has=has)
    )


def _typed(name: str, value: Scalar, kind: str | None) -> Sample:
    if value is None or value == "":
        return bad(Why.NO_VALUE, _("the instrument leaves {name!r} empty").format(name=name))
    if kind is None:
        return Sample(value)
    typed = _TYPES[kind](value)
    if typed is None:
        return bad(
            Why.DECODE_ERROR,
            _("{name!r} is {value!r}, which is no {kind}").format(
                name=name, value=value, kind=kind
            ),
        )
    return Sample(typed)


def _number(value: Scalar) -> Value:
    if isinstance(value, bool):
        return None
    return value if isinstance(value, int | float) else to_number(str(value))


def _int(value: Scalar) -> Value:
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else to_int(str(value))


def _text(value: Scalar) -> Value:
    return str(value).strip()


def _bool(value: Scalar) -> Value:
    return value if isinstance(value, bool) else None


_TYPES: Mapping[str, Callable[[Scalar], Value]] = {
    "number": _number,
    "int": _int,
    "text": _text,
    "bool": _bool,
}
