"""Makes a point of one row, or says why not. Pure."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from edge_agent.config.shape import PointShape
from edge_agent.config.verdict import judge
from edge_agent.language import _
from edge_agent.registers.dialect import Answers, Cells, Dialect, Unclear, has_address
from edge_agent.registers.listed import Listed
from edge_agent.registers.naming import is_name, slug, unique
from edge_agent.registers.table import Row
from edge_agent.registers.values import point_of, refuse_unreadable

_CALLED = ("point", "label", "description", "address")
_ORDER = ("address", "label", "unit", "scale", "add")
"""Of the keys of a point, as people write them; the others follow."""


class Pointing:
    """Makes points of the rows of one list.

    Attributes:
        labels: Name of a device -> what people call it.
    """

    def __init__(self, dialect: Dialect, answers: Answers, hints: Mapping[str, str]) -> None:
        self._dialect, self._answers, self._hints = dialect, answers, hints
        self._devices: dict[str, str] = {}
        self.labels: dict[str, str] = {}

    def listed(self, row: Row, cells: Cells) -> Listed:
        """Give a row with what was made of it; names are not unique yet."""
        device = self._device(cells)
        called = next((cells[column] for column in _CALLED if column in cells), "")
        try:
            point, notes = self._point(cells)
        except Unclear as unclear:
            return Listed(row.number, cells, device, called, code=unclear.code, reason=str(unclear))
        name = _name(cells)
        if not name:
            name = f"point_{slug(cells.get('address', '')) or row.number}"
            notes.append(_("named {name}, since names need letters a-z").format(name=name))
        label = _label(cells, name)
        if label:
            point["label"] = label
        return Listed(row.number, cells, device, name, _in_order(point), tuple(notes))

    def _point(self, cells: Cells) -> tuple[dict[str, Any], list[str]]:
        if not has_address(cells):
            raise Unclear("heading", _("has no address, so it is no value"))
        refuse_unreadable(cells)
        place = self._dialect.place(cells, self._answers)
        _refuse("address", self._dialect.address_type, place.address)
        rest, notes = point_of(cells, self._answers, self._hints)
        _refuse("value", PointShape, rest)
        return {"address": dict(place.address), **rest}, [*place.notes, *notes]

    def _device(self, cells: Cells) -> str:
        written = cells.get("device", "")
        if not written:
            return ""
        if written not in self._devices:
            plain = written if is_name(written) else slug(written) or "device"
            self._devices[written] = unique(plain, lambda name: name in self._devices.values())
        name = self._devices[written]
        label = cells.get("device_label") or ("" if is_name(written) else written)
        if label:
            self.labels.setdefault(name, label)
        return name


def _refuse(code: str, model: type[BaseModel], values: Mapping[str, Any]) -> None:
    """Let the type that checks it in a configuration check it here, in the same words.

    Raises:
        Unclear: It does not do.
    """
    for inside, (message, hint) in judge(model, dict(values)).wrong[:1]:
        key = ".".join(map(str, inside))
        said = f"{key}: {message}" if key else message
        raise Unclear(code, f"{said}; {hint}" if hint else said)


def _name(cells: Cells) -> str:
    """Make a name of what the row is called; empty where it is only called something in Chinese."""
    words = [cells[column] for column in _CALLED[:-1] if column in cells]
    return next((word for word in words[:1] if is_name(word)), "") or next(
        (made for word in words if (made := slug(word))), ""
    )


def _label(cells: Cells, name: str) -> str:
    """Give what people call the value, with what the list says about it."""
    point, label = cells.get("point", ""), cells.get("label", "")
    if not label and point != name:
        label = point
    if "point" not in cells and label == name:
        label = ""
    about = cells.get("description", "")
    if not about or about == label:
        return label
    return f"{label} ({about})" if label else about


def _in_order(point: Mapping[str, Any]) -> dict[str, Any]:
    first = {key: point[key] for key in _ORDER if key in point}
    return {**first, **point}
