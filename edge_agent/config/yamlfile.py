"""Reads YAML text into plain values that remember their lines.

PyYAML's C parser delivers events; meaning (`scalars.py`) and limits are ours, so that a mistake in
the file is named with its line and a hostile file costs neither memory nor time.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from edge_agent.config import scalars
from edge_agent.config.places import Items, Section, written
from edge_agent.config.syntax import explain
from edge_agent.errors import ConfigInvalid, Problem
from edge_agent.language import _, later

try:
    from yaml.cyaml import CParser as Parser  # type: ignore[attr-defined]  # not in the stubs
except ImportError:  # PyYAML was built without libyaml: the same events, about 30 times slower
    from edge_agent.config.slowyaml import Parser  # type: ignore[assignment]

# A file of 10,000 points has 200,000 values, five levels of its own and three of a driver.
MOST_VALUES = 2_000_000
DEEPEST = 32

_BEGIN = later("begin with `version: 1`, or let `edge-agent setup` write the file")
_KNOWN_TAGS = (None, "!", *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq")))


Event = Any  # the stubs of PyYAML know neither tags, anchors nor marks of an event


class Document(NamedTuple):
    """What a file holds, and the mistakes in it that left the rest readable."""

    root: Section
    problems: Sequence[Problem]


def parse(text: str) -> Document:
    """Read one YAML document whose top level is a mapping.

    Raises:
        ConfigInvalid: It is not YAML, not a mapping, or too large to be a configuration.
    """
    try:
        return _Builder(text).document()
    except yaml.YAMLError as error:
        raise ConfigInvalid([explain(error, text)]) from error
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise ConfigInvalid(
            [Problem("", line, _("holds a character that does not exist"))]
        ) from error


class _Builder:
    """Turns the events of one text into values."""

    def __init__(self, text: str) -> None:
        self._next: Callable[[], Event] = Parser(text).get_event
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._path: list[str | int] = []
        self._values = 0
        self._problems: list[Problem] = []

    def document(self) -> Document:
        self._next()  # the start of the stream
        if not isinstance(self._next(), DocumentStartEvent):
            raise ConfigInvalid([Problem("", 1, _("the file is empty"), _(_BEGIN))])
        first = self._next()
        root = self._value(first)
        if not isinstance(root, Section):
            self._stop(_("must be keys with values at the top level"), first, _(_BEGIN))
        self._next()  # the end of the document
        if isinstance(more := self._next(), DocumentStartEvent):
            self._stop(_("a second document begins here"), more, _("keep one document per file"))
        return Document(root, self._problems)

    def _value(self, event: Event) -> Any:
        if isinstance(event, AliasEvent):
            return self._alias(event)
        before = self._values
        self._count(1, event)
        value = self._fresh(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, self._values - before)
        return value

    def _fresh(self, event: Event) -> Any:
        if event.tag not in _KNOWN_TAGS:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._note(
                _("the tag {tag} is not known here").format(tag=tag), event, _("leave the tag out")
            )
        if isinstance(event, ScalarEvent):
            is_plain = event.implicit[0] and event.tag is None
            return scalars.plain(event.value) if is_plain else event.value
        if len(self._path) >= DEEPEST:
            self._stop(
                _("is nested more than {deepest} levels deep").format(deepest=DEEPEST), event
            )
        if isinstance(event, MappingStartEvent):
            return self._mapping()
        return self._sequence()

    def _alias(self, event: AliasEvent) -> Any:
        if event.anchor not in self._anchors:
            hint = _("write &{anchor} before it, outside of the value itself").format(
                anchor=event.anchor
            )
            self._stop(_("*{anchor} refers to nothing").format(anchor=event.anchor), event, hint)
        value, size = self._anchors[event.anchor]
        self._count(size, event)
        return value

    def _mapping(self) -> Section:
        section = Section()
        while not isinstance(event := self._next(), MappingEndEvent):
            key = self._key(event)
            self._path.append(key)
            line = event.start_mark.line + 1
            if first := section.lines.get(key):
                self._note(
                    _("stands twice, first on line {first}").format(first=first),
                    event,
                    _("keep one of them"),
                )
                self._value(self._next())
            else:
                section.lines[key] = line
                section[key] = self._value(self._next())
            self._path.pop()
        return section

    def _key(self, event: Event) -> str:
        """Read a key: always text, exactly as it is written."""
        if not isinstance(event, ScalarEvent):
            self._stop(_("a key must be plain text"), event)
        if event.value == "<<" and event.implicit[0]:
            self._stop(_("<< is not part of YAML 1.2"), event, _("write the keys out"))
        self._count(1, event)
        return str(event.value)

    def _sequence(self) -> Items:
        items = Items()
        while not isinstance(event := self._next(), SequenceEndEvent):
            self._path.append(len(items))
            items.lines.append(event.start_mark.line + 1)
            items.append(self._value(event))
            self._path.pop()
        return items

    def _count(self, values: int, event: Event) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            self._stop(
                _("the file holds more than {most_values:,} values up to here").format(
                    most_values=MOST_VALUES
                ),
                event,
            )

    def _note(self, message: str, event: Event, hint: str) -> None:
        line = event.start_mark.line + 1
        self._problems.append(Problem(written(self._path), line, message, hint))

    def _stop(self, message: str, event: Event, hint: str = "") -> NoReturn:
        self._note(message, event, hint)
        raise ConfigInvalid(self._problems)
