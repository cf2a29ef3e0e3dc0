"""Puts points and devices into the text of a configuration, and leaves every other letter alone.

Comments and the layout of a file that people keep by hand are worth as much as its values. The
result is read again, and has to mean the old file and the new points, nothing else.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from edge_agent.config import yamlfile
from edge_agent.errors import ConfigInvalid, EdgeAgentError
from edge_agent.language import _
from edge_agent.registers.yamltext import device_lines, flow, point_lines

Points = Mapping[str, Any]


class NoPlace(EdgeAgentError):  # noqa: N818 - named after what happened
    """The text has no place for it, or none that can be changed without changing others."""


def with_points(text: str, connection: str, device: str, points: Points) -> str:
    """Add points to a device; those that are there already stay as they are.

    Raises:
        NoPlace: There is no such device, or its points stand where they cannot be added to.
    """
    file = _File(text)
    at, index = file.device(connection, device)
    known = file.root["connections"][at]["devices"][index].get("points") or {}
    new = {name: body for name, body in points.items() if name not in known}
    if not new:
        return text
    place = file.node("connections", at, "devices", index)
    changed = _into_device(text, place, new)
    wanted = copy.deepcopy(file.root)
    target = wanted["connections"][at]["devices"][index]
    target["points"] = {**known, **new}
    return _proved(changed, wanted)


def with_device(text: str, connection: str, block: Mapping[str, Any]) -> str:
    """Add a device to a connection.

    Raises:
        NoPlace: There is no such connection, or its devices stand where none can be added.
    """
    file = _File(text)
    at = file.connection(connection)
    node = file.child(file.node("connections", at), "devices")
    if not isinstance(node, yaml.SequenceNode) or (node.flow_style and node.value):
        raise NoPlace(_("the devices of {name} stand in one line: put each in lines of its own")
                      .format(name=connection))  # fmt: skip
    if node.flow_style:
        raise NoPlace(
            _("{name} has no devices yet: add the first one by hand").format(name=connection)
        )
    lines = device_lines(block, " " * node.start_mark.column)
    wanted = copy.deepcopy(file.root)
    wanted["connections"][at]["devices"].append(block)
    return _proved(_after(text, _last_line(node), lines), wanted)


class _File:
    """The text of a configuration, as values and as nodes that know their places."""

    def __init__(self, text: str) -> None:
        try:
            self.root: Any = yamlfile.parse(text).root
            self._node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
        except (ConfigInvalid, yaml.YAMLError) as error:
            raise NoPlace(str(error)) from error

    def connection(self, name: str) -> int:
        """Give the position of a connection."""
        return _position(self.root.get("connections"), name, _("connection"))

    def device(self, connection: str, name: str) -> tuple[int, int]:
        """Give the positions of a connection and a device of it."""
        at = self.connection(connection)
        return at, _position(self.root["connections"][at].get("devices"), name, _("device"))

    def node(self, *path: str | int) -> yaml.Node:
        """Give what stands at this place."""
        found: Any = self._node
        for part in path:
            found = found.value[part] if isinstance(part, int) else self.child(found, part)
        return found  # type: ignore[no-any-return]  # the stubs know no values of nodes

    @staticmethod
    def child(node: Any, key: str) -> yaml.Node | None:
        """Give the value of a key; None if there is none."""
        return next((value for name, value in node.value if name.value == key), None)


def _position(items: Any, name: str, what: str) -> int:
    names = [one.get("name") for one in items or () if isinstance(one, dict)]
    if name not in names:
        there = ", ".join(map(str, names)) or "-"
        raise NoPlace(_("there is no {what} {name!r}; there are: {there}").format(
            what=what, name=name, there=there))  # fmt: skip
    return names.index(name)


def _into_device(text: str, device: yaml.Node, points: Points) -> str:
    there = _File.child(device, "points")
    if there is None and device.flow_style:  # type: ignore[attr-defined]  # mappings have it
        return _before_brace(text, device, f"points: {flow(points)}")
    if there is None:
        indent = " " * device.start_mark.column
        lines = [f"{indent}points:", *point_lines(points, indent + "  ")]
        return _after(text, _last_line(device), lines)
    if not isinstance(there, yaml.MappingNode):
        indent = " " * (device.start_mark.column + 2)
        return _after(text, there.start_mark.line, point_lines(points, indent))
    if there.flow_style:
        inner = ", ".join(f"{flow(name)}: {flow(body)}" for name, body in points.items())
        return _before_brace(text, there, inner)
    indent = " " * there.value[0][0].start_mark.column
    return _after(text, _last_line(there), point_lines(points, indent))


def _after(text: str, line: int, lines: Sequence[str]) -> str:
    """Put lines below a line, counted from 0."""
    old = re.findall(r"[^\n]*\n|[^\n]+", text)
    end = "\r\n" if old[line].endswith("\r\n") else "\n"
    if not old[line].endswith("\n"):
        old[line] += end
    return "".join([*old[: line + 1], *(each + end for each in lines), *old[line + 1 :]])


def _before_brace(text: str, mapping: Any, inner: str) -> str:
    end = mapping.end_mark.index - 1
    before = text[:end].rstrip()
    comma = "" if not mapping.value or before.endswith(",") else ","
    space = " " if mapping.value else ""
    return f"{before}{comma}{space}{inner}{text[end:]}"


def _last_line(node: Any) -> int:
    """Give the line on which the last value of a node ends, without comments behind it."""
    if isinstance(node, yaml.ScalarNode):
        is_block = node.style in {"|", ">"}
        return node.end_mark.line - is_block if node.end_mark.line else 0
    if node.flow_style or not node.value:
        return int(node.end_mark.line)
    last = node.value[-1]
    if isinstance(last, tuple):
        key, value = last
        return max(int(key.start_mark.line), _last_line(value))
    return _last_line(last)


def _proved(text: str, wanted: Any) -> str:
    """Read the new text again: it must mean exactly what is wanted."""
    try:
        found = yamlfile.parse(text).root
    except ConfigInvalid as error:
        raise NoPlace(_no_way()) from error
    if found != wanted:
        raise NoPlace(_no_way())
    return text


def _no_way() -> str:
    return _(
        "the points stand in the file in a way that cannot be added to, such as behind a * of "
        "YAML: take the printed block and put it there by hand"
    )
