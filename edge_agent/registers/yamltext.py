"""Writes values as YAML that every reader takes for the same, in one line. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from edge_agent.config.scalars import plain

_SAFE = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*|[0-9]+(?:ms|s|m|h|d)")
_UNSEEN = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff]")
_YAML_1_1 = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def flow(value: Any) -> str:
    """Write a value in flow style, such as `{table: input, offset: 107}`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(str(k))}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, str):
        return value if _is_plain(value) else _quoted(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(flow, value)) + "]"
    return (
        "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    )


def _quoted(text: str) -> str:
    """Write a text in quotes; line ends that only YAML knows, and what nobody sees, as codes."""
    return _UNSEEN.sub(lambda sign: f"\\u{ord(sign[0]):04x}", json.dumps(text, ensure_ascii=False))


def _is_plain(text: str) -> bool:
    is_text = _SAFE.fullmatch(text) is not None and plain(text) == text
    return is_text and text.lower() not in _YAML_1_1


def point_lines(points: Mapping[str, Any], indent: str) -> list[str]:
    """Write points, one a line."""
    return [f"{indent}{flow(name)}: {flow(body)}" for name, body in points.items()]


def device_lines(block: Mapping[str, Any], indent: str) -> list[str]:
    """Write a device as an item of a list."""
    head = [(key, value) for key, value in block.items() if key != "points"]
    lines = [
        f"{indent}{'- ' if not at else '  '}{key}: {flow(value)}"
        for at, (key, value) in enumerate(head)
    ]
    return [*lines, f"{indent}  points:", *point_lines(block["points"], f"{indent}    ")]
