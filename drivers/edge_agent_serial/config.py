"""What a configuration says about one line and its instruments.

Either a recipe says what comes over the line (`recipe`), or a pattern does (`pattern`).
"""

import codecs
import os
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, PrivateAttr, field_validator, model_validator

from edge_agent.driver import Duration, Settings, Why
from edge_agent.language import _
from edge_agent_serial import library
from edge_agent_serial.allowed import network
from edge_agent_serial.checks import (
    OF_A_PORT,
    check_keys,
    check_pattern,
    check_recipe,
    check_transport,
)
from edge_agent_serial.expression import Scalar
from edge_agent_serial.generic import line_recipe
from edge_agent_serial.patterns import compile_bounded
from edge_agent_serial.recipe import Recipe
from edge_agent_serial.request import unescape

Transport = Literal["serial", "tcp", "tcp-server", "udp"]
Mode = Literal["stream", "poll", "session", "event"]

_ANYBODY = ("0.0.0.0/0", "::/0")
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - who may talk to us is said by `allow`


class SerialSettings(Settings):
    """How to reach instruments on one line, and what they say."""

    model_config = ConfigDict(extra="allow")  # the parameters of the recipe

    transport: Transport
    """`serial`: a port of this machine. `tcp`: a converter or instrument that listens.
    `tcp-server`: it calls us. `udp`: datagrams."""
    port: str | int
    """A device path for `serial`, best from /dev/serial/by-id; else a port number: of the other
    side, or ours for `tcp-server` and for `udp` without `host`."""
    host: str | None = Field(default=None, min_length=1)
    """For `tcp` and `udp`: name or address of the converter or instrument."""
    bind: str | None = Field(default=None, min_length=1)
    """For `tcp-server` and `udp` without `host`: the address of this machine to listen at; all
    of them unless given."""
    allow: tuple[str, ...] = ()
    """For `tcp-server` and `udp` without `host`: addresses or networks that are listened to, such
    as 10.0.0.7 or 10.0.0.0/24; all of them unless given."""
    baud: int = Field(default=9600, ge=50, le=4_000_000)
    """Bits per second on the line; like the next ones from the recipe unless given."""
    data_bits: Literal[7, 8] = 8
    """Bits per character, without parity."""
    parity: Literal["none", "even", "odd"] = "none"
    """The check bit of each character."""
    stop_bits: Literal[1, 2] = 1
    """Bits between two characters."""
    xonxoff: bool = False
    """Flow control by the characters XON and XOFF."""
    mask7: bool = False
    """With a recipe: take bit 7 off each byte, for 7-bit instruments behind a port set to 8."""
    recipe: str | None = None
    """A recipe of this package (`edge-agent recipe list`), or the path of one of yours. Its
    parameters stand beside this key, or in the `address` of a device or point."""
    mode: Mode = "stream"
    """`stream`: the instrument sends by itself. `poll`: it answers requests. `session`: it needs a
    conversation. `event`: it sends when something happens. From the recipe unless given."""
    only: Literal["all", "stable", "weighings"] = "all"
    """For scales with a recipe. `stable`: only weights that stand still. `weighings`: one for each
    weighing, the first stable one after the scale was empty."""
    zero: float | None = Field(default=None, ge=0)
    """For `only: weighings`: up to this weight the scale counts as empty."""
    request: str | None = None
    r"""Only with a pattern and `poll`: what to send, such as `SI\r\n`."""
    effect: Literal["read"] | None = None
    """Must stand beside a request: your word that it changes nothing on the instrument."""
    end: str | None = None
    r"""What ends a line, such as `\x03`; unless given, CR, LF or both."""
    encoding: str = "ascii"
    """How text is written in bytes: `ascii`, `latin-1`, `gbk`, ..."""
    pattern: str | None = None
    """Instead of a recipe: a regular expression for a whole line; its named groups, as
    `(?P<weight>...)`, are fields."""
    bad_when: Mapping[Why, str] = {}
    """Reason -> regular expression: a line in which it is found has no value, only this reason."""
    uncertain_when: Mapping[Why, str] = {}
    """Reason -> regular expression: values of a line in which it is found are uncertain."""
    timeout: Duration = Field(default=2.0, gt=0)
    """How long to wait for a line or answer, and how old the last one may be. A recipe's requests
    have times of their own unless it is given."""
    _recipe: Recipe | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _take_from_recipe(cls, given: Any) -> Any:
        """Fill in what the recipe says about the line. A recipe that is wrong complains later."""
        if not isinstance(given, Mapping):
            return given
        check_keys(given, cls.model_fields)
        if not isinstance(given.get("recipe"), str):
            return given
        try:
            recipe = library.load(given["recipe"])
        except ValueError:
            return given
        line = recipe.line
        usual: dict[str, Any] = {"mode": recipe.mode, "mask7": line.mask7}
        if given.get("transport") == "serial":
            usual |= {key: getattr(line, key) for key in OF_A_PORT}
        elif line.tcp_port is not None:
            usual["port"] = line.tcp_port
        return usual | dict(given)

    @field_validator("recipe")
    @classmethod
    def _know_recipe(cls, name: str | None) -> str | None:
        if name is not None:
            library.load(name)
        return name

    @field_validator("pattern")
    @classmethod
    def _name_fields(cls, pattern: str | None) -> str | None:
        if pattern is not None and not compile_bounded(pattern).groupindex:
            raise ValueError(
                _(
                    "{pattern!r} names no field: put what you want to read into a group with "
                    "a name, such as (?P<weight>[+-]?\\d+\\.\\d+)"
                ).format(pattern=pattern)
            )
        return pattern

    @field_validator("allow")
    @classmethod
    def _know_networks(cls, allow: tuple[str, ...]) -> tuple[str, ...]:
        for text in allow:
            network(text)
        return allow

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
        raise ValueError(
            _("the encoding {encoding!r} does not fit: write ascii, latin-1 or gbk").format(
                encoding=encoding
            )
        )

    @field_validator("end", "request")
    @classmethod
    def _unescape(cls, text: str | None) -> str | None:
        return None if text is None else unescape(text)

    @field_validator("end")
    @classmethod
    def _end_somewhere(cls, end: str | None) -> str | None:
        if end is not None and not (0 < len(end) <= 4 and all(ord(one) < 256 for one in end)):
            raise ValueError(_("end must be one to four bytes, such as \\r\\n or \\x03"))
        return end

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        check_transport(self)
        if self.recipe is not None:
            self._recipe = library.load(self.recipe)
            check_recipe(self, self._recipe)
            return self
        check_pattern(self)
        self._recipe = line_recipe(
            str(self.pattern),
            bad_when=self.bad_when,
            uncertain_when=self.uncertain_when,
            end=self.end,
            encoding=self.encoding,
            request=self.request,
        )
        return self

    def __hash__(self) -> int:
        return hash(
            self.model_dump_json()
        )  # the rules are mappings, which have no hash of their own

    @property
    def listens(self) -> bool:
        """Tell whether others call us."""
        return self.transport == "tcp-server" or (self.transport == "udp" and self.host is None)

    @property
    def listening_at(self) -> str:
        """Give the address of this machine at which others call us."""
        return self.bind or _EVERYWHERE

    @property
    def used_recipe(self) -> Recipe:
        """Give the recipe, or the one that the pattern stands for."""
        assert self._recipe is not None  # noqa: S101 - set by the checks
        recipe = self._recipe
        if recipe.line.mask7 == self.mask7:
            return recipe
        return recipe.model_copy(
            update={"line": recipe.line.model_copy(update={"mask7": self.mask7})}
        )

    @property
    def parameters(self) -> Mapping[str, Scalar]:
        """Give what is set of the recipe's parameters for the whole line."""
        return self.model_extra or {}

    @property
    def answer_timeout(self) -> float | None:
        """Give the seconds that an answer may take; None where the recipe says it."""
        is_set = self.pattern is not None or "timeout" in self.model_fields_set
        return self.timeout if is_set else None

    @property
    def characters(self) -> str:
        """Say how characters travel, such as `9600 baud 7E1`."""
        return f"{self.baud} baud {self.data_bits}{self.parity[0].upper()}{self.stop_bits}"

    @property
    def character(self) -> float:
        """Give the seconds that a character takes; 0 where it is not known."""
        if self.transport != "serial":
            return 0.0
        bits = 1 + self.data_bits + (self.parity != "none") + self.stop_bits
        return bits / self.baud

    def line(self) -> str:
        if self.transport == "serial":
            return os.path.realpath(str(self.port))  # two names of one port are one line
        if self.listens:
            return f"{self.transport}:{self.listening_at}:{self.port}"
        return f"{str(self.host).lower()}:{self.port}"

    def peers(self) -> tuple[str, ...]:
        if self.listens:
            return self.allow or _ANYBODY
        return () if self.host is None else (self.host,)
