r"""Builds the bytes of a request from parameters. Pure.

A template is text with escapes, or hex digits after `hex:`, with places in braces:

    {station:02X}      a number as Python formats it: d, X or x, with width
    {device}           a text, as it is
    {meter:bcdle6}     bytes: uint, uintle, bcd, bcdle, hex, hexle, and how many
    {item:hexle4+33}   the same, and 33h added to each byte
    {sum8 from 4}      a checksum of all bytes before it from the fourth on (`checksums.py`)
    {sum16-words from 2 plus station}   the same, with a parameter added to the sum
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, NamedTuple, TypeAlias

from pydantic import AfterValidator

from edge_agent.language import _
from edge_agent_serial.checksums import ALGORITHMS, checksum
from edge_agent_serial.expression import Scalar
from edge_agent_serial.part import NAME, octets

_PLACE = re.compile(r"\{([^{}]*)\}")
_TEXT = re.compile(rf"(?P<name>{NAME})(?::(?P<format>0?\d{{0,2}}[dXx]))?")
_BYTES = re.compile(
    rf"(?P<name>{NAME}):(?P<form>uint|uintle|bcd|bcdle|hex|hexle)(?P<size>\d{{1,2}})"
    r"(?:\+(?P<plus>[0-9A-Fa-f]{2}))?"
)
_SUM = re.compile(
    rf"(?P<kind>[a-z0-9-]+)(?: from (?P<first>\d{{1,3}}))?(?: plus (?P<plus>{NAME}))?"
)

_Make: TypeAlias = Callable[[Mapping[str, Scalar], bytes], bytes]


class NoRequest(ValueError):  # noqa: N818 - names say what happened
    """A request cannot be built from these parameters: the message says why."""


class _Place(NamedTuple):
    names: frozenset[str]
    make: _Make


class Template:
    """What is sent, with places for parameters.

    Attributes:
        names: The parameters it needs.
    """

    def __init__(self, text: str) -> None:
        """Read it.

        Raises:
            ValueError: A place in it means nothing.
        """
        is_hex = text.startswith("hex:")
        pieces = _PLACE.split(text[4:] if is_hex else text)
        self._parts: list[bytes | _Place] = []
        for index, piece in enumerate(pieces):
            if index % 2:
                self._parts.append(_place(piece))
            elif re.search(r"[{}]", piece):
                raise ValueError(
                    _("{text!r}: a brace alone; for the character write \\x7b or \\x7d").format(
                        text=text
                    )
                )
            elif piece:
                self._parts.append(octets(("hex:" if is_hex else "") + piece))
        self.names = frozenset(
            name for part in self._parts if isinstance(part, _Place) for name in part.names
        )

    def build(self, parameters: Mapping[str, Scalar]) -> bytes:
        """Give the bytes to be sent.

        Raises:
            NoRequest: A parameter is missing or does not fit its place.
        """
        built = b""
        for part in self._parts:
            built += part if isinstance(part, bytes) else part.make(parameters, built)
        return built


@lru_cache(maxsize=1024)
def template(text: str) -> Template:
    """Give a template that was read before once more. Raises ValueError."""
    return Template(text)


def _place(text: str) -> _Place:
    if found := _BYTES.fullmatch(text):
        return _bytes_place(found)
    found = _SUM.fullmatch(text)
    if found and found["kind"] in ALGORITHMS:
        return _sum_place(found)
    if found := _TEXT.fullmatch(text):
        return _text_place(found)
    raise ValueError(
        _(
            "{{{text}}} means nothing: write {{name}}, {{name:04d}}, {{name:02X}}, "
            "{{name:bcdle6}}, {{name:hexle4+33}} or a checksum such as {{sum8 from "
            "1}}"
        ).format(text=text)
    )


def _text_place(found: re.Match[str]) -> _Place:
    name, form = found["name"], found["format"]

    def make(parameters: Mapping[str, Scalar], before: bytes) -> bytes:
        value = _value(parameters, name)
        if form is None:
            if not str(value).isascii():
                raise NoRequest(
                    _("{name} is {value!r}, which is not ASCII").format(name=name, value=value)
                )
            return str(value).encode("ascii")
        text = format(_whole(name, value), form)
        width = int(form[:-1] or 0)
        if width and len(text) > width:
            raise NoRequest(
                _("{name} is {value}, which has more than {width} digits").format(
                    name=name, value=value, width=width
                )
            )
        return text.encode("ascii")

    return _Place(frozenset((name,)), make)


def _bytes_place(found: re.Match[str]) -> _Place:
    name, form, size = found["name"], found["form"], int(found["size"])
    plus = int(found["plus"] or "0", 16)

    def make(parameters: Mapping[str, Scalar], before: bytes) -> bytes:
        value = _value(parameters, name)
        try:
            made = _binary(name, value, form.removesuffix("le"), size)
        except (OverflowError, ValueError) as error:
            raise NoRequest(
                _("{name} is {value!r}, which is no {form} of {size} bytes").format(
                    name=name, value=value, form=form, size=size
                )
            ) from error
        made = made[::-1] if form.endswith("le") else made
        return bytes((byte + plus) & 0xFF for byte in made)

    return _Place(frozenset((name,)), make)


def _binary(name: str, value: Scalar, form: str, size: int) -> bytes:
    if form == "uint":
        return _whole(name, value).to_bytes(size, "big")
    digits = str(value).rjust(2 * size, "0")
    if len(digits) != 2 * size or (form == "bcd" and not re.fullmatch(r"\d+|A+", digits)):
        raise ValueError(digits)  # AA..AA is DL/T 645's "whoever is there"
    return bytes.fromhex(digits)


def _sum_place(found: re.Match[str]) -> _Place:
    kind, first, plus = found["kind"], int(found["first"] or 0), found["plus"]

    def make(parameters: Mapping[str, Scalar], before: bytes) -> bytes:
        more = _whole(plus, _value(parameters, plus)) if plus else 0
        return checksum(kind, before[first:], more)

    return _Place(frozenset((plus,) if plus else ()), make)


def _value(parameters: Mapping[str, Scalar], name: str) -> Scalar:
    value = parameters.get(name)
    if value is None:
        raise NoRequest(_("the parameter {name} is missing").format(name=name))
    return value


def _whole(name: str, value: Scalar) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise NoRequest(
            _("{name} is {value!r}, which is no whole number from 0").format(name=name, value=value)
        )
    return value


def check_template(text: str) -> str:
    """Let a template pass that can be read."""
    Template(text)
    return text


TemplateText = Annotated[str, AfterValidator(check_template)]
"""The text of a template, checked."""
