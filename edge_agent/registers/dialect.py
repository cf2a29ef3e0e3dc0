"""How the addresses of one driver are written in lists: what a driver package may teach. Pure.

A driver package names a subclass of `Dialect` by an entry point of the group `edge_agent.lists`,
such as `modbus = "edge_agent_modbus.lists:ModbusLists"`. Without one, the column `address` is the
text form of an address, and columns that are called like a key of the driver's address are that
key; `address.KEY` is always that key.
"""

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, ClassVar, NamedTuple

from edge_agent import plugins
from edge_agent.config.profile import Area
from edge_agent.config.scalars import plain
from edge_agent.driver import Address
from edge_agent.errors import DriverUnavailable
from edge_agent.language import _
from edge_agent.registers.headers import KEY, Synonyms
from edge_agent.registers.table import ListUnreadable

GROUP = "edge_agent.lists"
"""Entry points of this group are a driver's dialect of register lists."""
OPEN = "open"
"""The code of a row that waits for an answer."""
MODEL = "model"
"""The question which profile's areas the cells of a controller lie in; its choices are ours."""

Cells = Mapping[str, str]
"""One row: what we call a column -> what stands there; empty cells are missing."""
Answers = Mapping[str, str]
"""Id of a question -> the word of the choice that was taken."""


class Choice(NamedTuple):
    """One possible answer: its word for files and options, and what people read."""

    word: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Something that a list leaves open, which is asked once for the whole list.

    Attributes:
        id: Its name in answers.
        text: What is asked.
        choices: The possible answers.
        default: What is taken without an answer; None if an answer is needed.
        why: Why it is asked, in the list's own words.
        rows: Numbers of the rows that depend on it.
    """

    id: str
    text: str
    choices: Sequence[Choice]
    default: str | None = None
    why: str = ""
    rows: Sequence[int] = ()


class Unclear(ValueError):  # noqa: N818 - named after what is told of a row
    """A row cannot be used; the message is a sentence.

    Attributes:
        code: What is unclear: `address`, `type`, `order`, `access`, ...
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Place:
    """Where the value of one row lives.

    Attributes:
        address: As in the configuration, complete but for what its device says.
        notes: What was taken although the row does not say it, or says it otherwise.
    """

    address: Mapping[str, Any]
    notes: Sequence[str] = field(default_factory=tuple)


class Dialect:
    """Reads and writes the address of a row; this one serves drivers that bring none."""

    asks: ClassVar[Sequence[str]] = ()
    """Ids of all questions that it may ask."""
    shared: ClassVar[Sequence[str]] = ()
    """Keys of an address that usually all points of a device have in common."""

    def __init__(self, address_type: type[Address]) -> None:
        self.address_type = address_type
        self.areas: Sequence[Area] = ()
        """Of the profile that was answered to the question `model`."""
        self.hints: Mapping[str, str] = {}
        """What stands in brackets beside the header of a column."""

    @property
    def columns(self) -> Synonyms:
        """Columns of the driver's own; they win over the common ones."""
        keys = [key for key in self.address_type.model_fields if key not in _COMMON]
        return {key: (key.replace("_", " "),) for key in keys}

    def questions(self, rows: Sequence[tuple[int, Cells]], answers: Answers) -> Sequence[Asked]:
        """Look at the whole list and tell what it leaves open. Called before `place`.

        Args:
            rows: Number and cells of each row that has an address.
            answers: What was answered so far.
        """
        return ()

    def place(self, cells: Cells, answers: Answers) -> Place:
        """Read where the value of a row lives.

        Args:
            cells: The row.
            answers: To the questions, with their defaults.

        Raises:
            Unclear: That is not clear.
        """
        address = keys_of(cells)
        if "address" in cells:
            address["at"] = cells["address"]
        for key in self.address_type.model_fields:
            if key in cells and key in self.columns:
                address.setdefault(key, plain(cells[key]))
        return Place(address)

    def extent(self, address: Address) -> tuple[Hashable, int, int] | None:
        """Tell which cells a value occupies: of what, the first and the last.

        Values that share some of their cells, but not all, are told of: one is mostly wrong.
        """
        return None

    def keys(self, address: Address) -> dict[str, Any]:
        """Give an address as a configuration could have it, with what `written` needs."""
        return address.model_dump(mode="json", exclude_defaults=True)

    def written(self, address: Mapping[str, Any]) -> dict[str, str]:
        """Write an address into columns, so that `place` reads the same from them."""
        cells = {KEY + key: as_cell(value) for key, value in address.items() if key != "at"}
        return ({"address": str(address["at"])} if "at" in address else {}) | cells


def has_address(cells: Cells) -> bool:
    """Tell whether a row says where a value lives."""
    return any(key == "address" or key.startswith(KEY) for key in cells)


_COMMON = frozenset({"type", "unit", "label", "scale", "range", "every", "no_value"})
"""Columns that mean something else in a list than a key of that name in an address."""


def keys_of(cells: Cells) -> dict[str, Any]:
    """Give the keys of the address that have a column `address.KEY` each."""
    return {
        column.removeprefix(KEY): _value(text)
        for column, text in cells.items()
        if column.startswith(KEY)
    }


def as_cell(value: Any) -> str:
    """Write a value of an address so that `keys_of` reads the same; texts stay plain."""
    if isinstance(value, str) and _value(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def dialect_of(driver: str) -> Dialect:
    """Make the dialect of a driver.

    Raises:
        ListUnreadable: The driver is not installed.
    """
    try:
        address_type: type[Address] = plugins.load(driver).address_type
    except DriverUnavailable as error:
        raise ListUnreadable(str(error)) from error
    for entry in entry_points(group=GROUP, name=driver):
        found: type[Dialect] = entry.load()
        return found(address_type)
    return Dialect(address_type)


def answered(id: str, answers: Answers) -> str:  # noqa: A002 - the word of Asked
    """Give the answer to a question on which a row depends.

    Raises:
        Unclear: There is none yet.
    """
    if id not in answers:
        raise Unclear(OPEN, _("depends on the answer to {id!r}").format(id=id))
    return answers[id]


def chosen(questions: Sequence[Asked], answers: Answers) -> dict[str, str]:
    """Put the defaults of questions below the answers that were given."""
    defaults = {one.id: one.default for one in questions if one.default is not None}
    return {**defaults, **answers}
