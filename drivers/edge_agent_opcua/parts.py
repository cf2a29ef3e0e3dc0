"""Parts of a value: `[3]` of an array, `Limits.High` of a structure. Pure; imports no asyncua."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from edge_agent.language import _

PIECE = re.compile(r"\[(?P<first>\d+)(?::(?P<last>\d+))?\]|\.?(?P<field>[^.\[\]]+)")

Piece = str | int | slice
"""A field's name, an index from 0, or a range of indices."""


class NoSuchPart(LookupError):  # noqa: N818 - named after what happened
    """The value has not got this part; the message says what it has."""


def parse(part: str) -> tuple[Piece, ...]:
    """Take a part apart.

    `[2:5]` is from index 2 to 5, both included. Source: OPC 10000-4, 7.27 (NumericRange).

    Raises:
        ValueError: It is none.
    """
    pieces: list[Piece] = []
    place = 0
    while place < len(part):
        found = PIECE.match(part, place)
        if found is None or (found[0].startswith(".") and not place):
            raise ValueError(
                _("{part!r} is no part of a value: write such as [3] or Limits.High").format(
                    part=part
                )
            )
        pieces.append(_piece(found))
        place = found.end()
    if any(isinstance(piece, slice) for piece in pieces[:-1]):
        raise ValueError(_("a range can only be the last of {part!r}").format(part=part))
    return tuple(pieces)


def _piece(found: re.Match[str]) -> Piece:
    if found["field"] is not None:
        return found["field"]
    first = int(found["first"])
    if found["last"] is None:
        return first
    if int(found["last"]) <= first:
        raise ValueError(
            _("the range {found} ends before it begins: write the lower index first").format(
                found=found[0]
            )
        )
    return slice(first, int(found["last"]) + 1)


def pick(value: Any, pieces: Sequence[Piece]) -> Any:
    """Give a part of a value of lists and dicts.

    Raises:
        NoSuchPart: The value has not got it.
    """
    for piece in pieces:
        value = _of_structure(value, piece) if isinstance(piece, str) else _of_array(value, piece)
    return value


def _of_structure(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        raise NoSuchPart(
            _("there is no field {name}: it is {kind}").format(name=name, kind=_kind(value))
        )
    if name not in value:
        raise NoSuchPart(
            _("there is no field {name}; there are: {value}").format(
                name=name, value=", ".join(value)
            )
        )
    return value[name]


def _of_array(value: Any, index: int | slice) -> Any:
    if not isinstance(value, list):
        raise NoSuchPart(_("there is no element: it is {kind}").format(kind=_kind(value)))
    last = index.stop - 1 if isinstance(index, slice) else index
    if last >= len(value):
        raise NoSuchPart(
            _("there is no element [{last}]: the array has {len} now").format(
                last=last, len=len(value)
            )
        )
    return value[index]


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return _("a structure")
    return (
        _("an array of {len}").format(len=len(value))
        if isinstance(value, list)
        else _("a single value")
    )


def parts_of(value: Any, most: int) -> Iterator[tuple[str, Any]]:
    """Give every single value inside an array or structure with the part that names it.

    Args:
        value: Of lists and dicts.
        most: How many at most; the rest is left out.
    """
    for _each, found in zip(range(most), _walk(value, ""), strict=False):
        yield found


def _walk(value: Any, so_far: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(inner, f"{so_far}.{name}" if so_far else name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _walk(inner, f"{so_far}[{index}]")
    else:
        yield so_far, value
