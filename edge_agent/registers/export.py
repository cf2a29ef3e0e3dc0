"""Writes points as a register list that reads back as the very same points. Pure."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from edge_agent.config.model import Connection, Deadband, Point
from edge_agent.registers.dialect import Dialect
from edge_agent.registers.listed import Listed, RegisterList
from edge_agent.registers.table import harmless
from edge_agent.registers.values import as_duration

_FIRST = ("device", "device_label", "point", "label", "address")
_LAST = ("unit", "scale", "add", "every", "deadband", "max_silence", "no_value", "low", "high")
_INTERVALS = ("every", "max_silence")
_ALWAYS = ("device", "point", "label", "address", "unit", "scale")
_TOLD = ("row", "remark")


def list_of(connection: Connection, dialect: Dialect, devices: Iterable[str] = ()) -> str:
    """Write the points of a connection as CSV.

    Args:
        connection: Of a checked configuration.
        dialect: Of its driver.
        devices: Only these; all if empty.
    """
    wanted = {*devices}
    rows = [
        {"device_label": device.label}
        | _cells(dialect, device.name, point.name, _body(dialect, point))
        for device in connection.devices
        if not wanted or device.name in wanted
        for point in device.points
    ]
    return as_csv(rows, _ALWAYS)


def corrected(found: RegisterList, dialect: Dialect) -> str:
    """Write a list as it was understood; refused rows as they were, with the reason beside.

    What was corrected in there is read like the original.
    """
    rows = [{**_row(row, dialect), "row": str(row.row), "remark": row.remark} for row in found.rows]
    return as_csv(rows, (*_ALWAYS, *_TOLD))


def _row(row: Listed, dialect: Dialect) -> dict[str, str]:
    return dict(row.cells) if row.code else _cells(dialect, row.device, row.name, row.point)


def as_csv(rows: Sequence[Mapping[str, str]], always: Sequence[str]) -> str:
    """Write rows with the columns that any of them has."""
    there = dict.fromkeys(key for row in rows for key, text in row.items() if text)
    middle = [key for key in there if key not in {*_FIRST, *_LAST, *_TOLD}]
    order = [*_TOLD[:1], *_FIRST, *sorted(middle, key=lambda key: "." in key), *_LAST, *_TOLD[1:]]
    columns = [key for key in order if key in there or key in always]
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({key: harmless(text) for key, text in row.items()} for row in rows)
    return file.getvalue()


def _cells(dialect: Dialect, device: str, name: str, body: Mapping[str, Any]) -> dict[str, str]:
    """Write a point, which is as in the configuration, into columns."""
    cells = {"device": device, "point": name, "label": str(body.get("label", ""))}
    cells |= dialect.written(body["address"])
    cells |= {key: _text(body[key]) for key in _LAST if key in body}
    cells |= {key: f"{body[key]!r}s" for key in _INTERVALS if isinstance(body.get(key), float)}
    if "range" in body:
        cells["low"], cells["high"] = (_text(limit) for limit in body["range"])
    return cells


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return json.dumps(list(value), ensure_ascii=False)
    return value if isinstance(value, str) else repr(value)


def _body(dialect: Dialect, point: Point) -> dict[str, Any]:
    """Give a point of a checked configuration as the file could have it."""
    return {"address": dialect.keys(point.address)} | body_of(point)


def body_of(point: Point) -> dict[str, Any]:
    """Give everything of a point but its address, as the file could have it."""
    said = {
        "every": as_duration(point.every),
        "label": point.label or None,
        "unit": point.unit or None,
        "scale": point.scale if point.scale != 1 else None,
        "add": point.add or None,
        "deadband": point.deadband and _deadband(point.deadband),
        "max_silence": point.max_silence and as_duration(point.max_silence),
        "no_value": list(point.no_value) or None,
        "range": point.range and list(point.range),
    }
    return {key: value for key, value in said.items() if value is not None}


def _deadband(deadband: Deadband) -> float | str:
    if not deadband.percent:
        return deadband.size
    return f"{Decimal(repr(deadband.size)):f}%"
