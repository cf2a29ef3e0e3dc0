"""What a configuration says about an instrument that speaks lines of text. Pure."""

import codecs
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from edge_agent.driver import Address, Duration, Settings, Why
from edge_agent_serial.patterns import compile_bounded
from edge_agent_serial.request import objection, unescape

_OF_A_PORT = frozenset({"baud", "data_bits", "parity", "stop_bits"})


class SerialSettings(Settings):
    """How to reach one instrument, and what its lines look like."""

    transport: Literal["serial", "tcp"]
    """`serial`: a port of this machine. `tcp`: a converter or instrument that listens."""
    port: str | int
    """A device path for `serial`, best from /dev/serial/by-id; a port number for `tcp`."""
    host: str | None = None
    """Only for `tcp`: name or address of the converter."""
    baud: int = Field(default=9600, ge=50, le=4_000_000)
    """Bits per second on the line."""
    data_bits: Literal[7, 8] = 8
    """Bits per character, without parity."""
    parity: Literal["none", "even", "odd"] = "none"
    """The check bit of each character."""
    stop_bits: Literal[1, 2] = 1
    """Bits between two characters."""
    mode: Literal["stream", "poll"] = "stream"
    """`stream`: the instrument sends by itself. `poll`: it answers a request."""
    request: str | None = None
    r"""Only for `poll`: what to send, such as `SI\r\n`."""
    effect: Literal["read"] | None = None
    """Must stand beside a request: your word that it changes nothing on the instrument."""
    end: str | None = None
    r"""What ends a line, such as `\x03`; unless given, CR, LF or both."""
    encoding: str = "ascii"
    """How text is written in bytes: `ascii`, `latin-1`, `gbk`, ..."""
    pattern: str
    """A regular expression for a whole line; its named groups, as `(?P<weight>...)`, are fields."""
    bad_when: Mapping[Why, str] = {}
    """Reason -> regular expression: a line in which it is found has no value, only this reason."""
    uncertain_when: Mapping[Why, str] = {}
    """Reason -> regular expression: values of a line in which it is found are uncertain."""
    timeout: Duration = Field(default=2.0, gt=0)
    """How long to wait for a line, and how old the last one may be."""

    @field_validator("pattern")
    @classmethod
    def _name_fields(cls, pattern: str) -> str:
        if not compile_bounded(pattern).groupindex:
            raise ValueError(
                f"{pattern!r} names no field: put what you want to read into a group with a name, "
                r"such as (?P<weight>[+-]?\d+\.\d+)"
            )
        return pattern

    @field_validator("bad_when", "uncertain_when")
    @classmethod
    def _bound(cls, rules: Mapping[Why, str]) -> Mapping[Why, str]:
        for pattern in rules.values():
            compile_bounded(pattern)
        return rules

    @field_validator("encoding")
    @classmethod
    def _know_encoding(cls, encoding: str) -> str:
        try:
            if "0\r".encode(encoding) == b"0\r":  # else lines could not be told apart
                return codecs.lookup(encoding).name
        except LookupError:
            pass  # unknown, or not for text: refused below like the others
        raise ValueError(f"the encoding {encoding!r} does not fit: write ascii, latin-1 or gbk")

    @field_validator("end", "request")
    @classmethod
    def _unescape(cls, text: str | None) -> str | None:
        return None if text is None else unescape(text)

    @field_validator("end")
    @classmethod
    def _end_somewhere(cls, end: str | None) -> str | None:
        if end is not None and not (0 < len(end) <= 4 and all(ord(one) < 256 for one in end)):
            raise ValueError(r"end must be one to four bytes, such as \r\n or \x03")
        return end

    @model_validator(mode="after")
    def _fit_the_transport(self) -> Self:
        if self.transport == "serial" and (not isinstance(self.port, str) or self.host is not None):
            raise ValueError(
                "transport serial takes a device path as port, such as /dev/ttyUSB0, and no host"
            )
        if self.transport == "tcp" and not (
            self.host and isinstance(self.port, int) and 0 < self.port < 65536
        ):
            raise ValueError("transport tcp needs a host and a port number from 1 to 65535")
        if self.transport == "tcp" and (extra := _OF_A_PORT & self.model_fields_set):
            raise ValueError(
                f"{' and '.join(sorted(extra))}: with transport tcp this is set on the converter, "
                "not here"
            )
        return self

    @model_validator(mode="after")
    def _fit_the_mode(self) -> Self:
        if self.mode == "stream":
            if self.request is not None or self.effect is not None:
                raise ValueError(
                    "request and effect belong to `mode: poll`; a stream sends nothing"
                )
            return self
        if self.request is None:
            raise ValueError(r"mode poll needs a request, such as 'SI\r\n'")
        if reason := objection(self.request):
            raise ValueError(f"request: {reason}")
        if self.effect != "read":
            raise ValueError(
                "write `effect: read` beside the request: it is your word that the request "
                "changes nothing on the instrument"
            )
        return self

    def __hash__(self) -> int:
        return hash(
            self.model_dump_json()
        )  # the rules are mappings, which have no hash of their own

    def line(self) -> str:
        return str(self.port) if self.transport == "serial" else f"{self.host}:{self.port}"


class SerialAddress(Address):
    """Where a value lives: a field of the line. As text: the field's name."""

    field: str
    """Name of a group in the connection's `pattern`."""
    type: Literal["number", "int", "text"] = "number"
    """`number`: with a point or a comma. `int`: whole. `text`: as it stands, without margins."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or "at" not in given or "field" in given:
            return given
        return {("field" if key == "at" else key): value for key, value in given.items()}

    def value_type(self) -> str:
        return {"number": "float", "int": "int", "text": "string"}[self.type]

    def __str__(self) -> str:
        return self.field
