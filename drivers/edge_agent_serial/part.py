r"""What all parts of a recipe have in common, and how bytes are written in one. Pure.

Bytes are written as text with escapes (`'\x02'`, `'SI\r\n'`), each character one byte, or as hex
digits after `hex:` (`hex:68 11 04`).
"""

import codecs
import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    WithJsonSchema,
)

from edge_agent.driver import Described
from edge_agent.language import _

NAME = r"[A-Za-z_][A-Za-z0-9_]{0,63}"
"""How parsed values, fields and parameters are called: as in an expression."""

_ESCAPE = re.compile(r"\\(?:(?P<hex>x[0-9A-Fa-f]{2})|(?P<letter>[rntabfv\\]))|\\")
_LETTERS = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class Part(Described):
    """A part of a recipe: never changes, and knows all of its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def unescape(text: str) -> str:
    r"""Replace `\r`, `\n`, `\x1b` and the like by what they stand for.

    Raises:
        ValueError: A backslash stands before something else.
    """

    def replace(found: re.Match[str]) -> str:
        if found["hex"]:
            return chr(int(found["hex"][1:], 16))
        if found["letter"]:
            return _LETTERS[found["letter"]]
        raise ValueError(
            _("{text!r}: after a backslash write r, n, t, x and two digits, or \\\\").format(
                text=text
            )
        )

    return _ESCAPE.sub(replace, text)


def octets(text: Any) -> bytes:
    r"""Give the bytes that `'SI\r\n'` or `hex:53 49` stand for.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(text, bytes):
        return text
    if not isinstance(text, str):
        raise ValueError(  # noqa: TRY004 - pydantic makes sentences of these
            _("{text!r} is no text: put bytes into quotes, as '\\x02' or 'hex:02'").format(
                text=text
            )
        )
    if text.startswith("hex:"):
        try:
            return bytes.fromhex(text[4:])
        except ValueError:
            raise ValueError(
                _("{text!r}: after hex: write pairs of hex digits").format(text=text)
            ) from None
    try:
        return unescape(text).encode("latin-1")
    except UnicodeEncodeError as error:
        raise ValueError(
            _("{text!r} holds a character that is no byte: write hex:...").format(text=text)
        ) from error


def written(data: bytes) -> str:
    """Write bytes as a recipe does: as text where they are text."""
    if all(0x20 <= byte < 0x7F or byte in b"\r\n\t" for byte in data):
        return data.decode("ascii").replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")
    return "hex:" + data.hex(" ").upper()


Octets = Annotated[
    bytes,
    BeforeValidator(octets),
    PlainSerializer(written, return_type=str),
    WithJsonSchema({"type": "string"}),
]
"""Bytes, written as text with escapes or as `hex:...`."""


def known_encoding(encoding: str) -> str:
    """Give the name of an encoding in which lines can be told apart.

    Raises:
        ValueError: It is unknown, or not for text.
    """
    try:
        if "0\r".encode(encoding) == b"0\r":
            return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        pass
    raise ValueError(
        _("the encoding {encoding!r} does not fit: write ascii, latin-1 or gbk").format(
            encoding=encoding
        )
    )


Encoding = Annotated[str, AfterValidator(known_encoding)]
"""How text is written in bytes: `ascii`, `latin-1`, `gbk`, ..."""


def _named(text: str) -> str:
    if not re.fullmatch(NAME, text):
        raise ValueError(
            _("{text!r} is no name: write letters, digits and _, a letter first").format(text=text)
        )
    return text


Name = Annotated[str, AfterValidator(_named)]
"""A name of a field, parsed value, parameter or request."""
