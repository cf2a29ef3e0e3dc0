"""What was made of a register list: every row with its fate, and what is still open. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge_agent.language import _, count
from edge_agent.registers.dialect import OPEN, Asked, Cells

Point = Mapping[str, Any]
"""As in the configuration file."""

NAMELESS = "NAME"
"""Stands where a list does not name the device."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One row that is not empty, and is no header.

    Attributes:
        row: Its number in the file.
        cells: What stands in it: what we call a column -> text.
        device: Name of the device that it names; empty where the list names none.
        name: Of the point; also where it was refused, as far as there is one.
        point: As in the configuration; empty where the row was refused.
        notes: What was changed or taken for granted.
        code: What is wrong with a refused row, such as `address`; empty where it is used.
        reason: The same as a sentence.
    """

    row: int
    cells: Cells
    device: str = ""
    name: str = ""
    point: Point = field(default_factory=dict)
    notes: Sequence[str] = ()
    code: str = ""
    reason: str = ""

    @property
    def state(self) -> str:
        """`ok`, `changed` or `refused`."""
        if self.code:
            return "refused"
        return "changed" if self.notes else "ok"

    @property
    def remark(self) -> str:
        """Why it was refused, else what was changed."""
        return self.reason or "; ".join(self.notes)


@dataclass(frozen=True, slots=True)
class RegisterList:
    """A register list as it was understood with the answers given.

    Attributes:
        driver: Whose addresses these are.
        rows: Every row, in order.
        questions: What is still open, so that rows wait for it.
        taken: Answers that count without having been given: the defaults of questions.
        notes: What concerns the whole list.
        labels: Name of a device -> what people call it.
        shared: Keys of an address that usually all points of a device have in common.
    """

    driver: str
    rows: Sequence[Listed]
    questions: Sequence[Asked] = ()
    taken: Sequence[Asked] = ()
    notes: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    shared: Sequence[str] = ()

    @property
    def devices(self) -> dict[str, dict[str, Point]]:
        """Device -> name -> point; the device is an empty name where the list names none."""
        found: dict[str, dict[str, Point]] = {}
        for row in self.used:
            found.setdefault(row.device, {})[row.name] = row.point
        return found

    @property
    def used(self) -> list[Listed]:
        """The rows that became points."""
        return [row for row in self.rows if not row.code]

    @property
    def unsaid(self) -> list[str]:
        """Name the keys that points of a device share, and that the list does not say."""
        addresses = [row.point["address"] for row in self.used]
        return [key for key in self.shared if any(key not in address for address in addresses)]

    def row(self, number: int) -> Listed | None:
        """Find a row by its number."""
        return next((row for row in self.rows if row.row == number), None)

    def blocks(self) -> list[dict[str, Any]]:
        """Give each device as in the configuration; what all points share stands once."""
        return [
            _block(name or NAMELESS, self.labels.get(name, ""), points, self.shared)
            for name, points in self.devices.items()
        ]

    def summary(self) -> str:
        """Say in one line how many rows were used, and what is wrong with the others."""
        counts = Counter(row.code for row in self.rows)
        changed = sum(row.state == "changed" for row in self.rows)
        used = _("{n} ok").format(n=counts.pop("", 0))
        if changed:
            used += " " + _("({n} changed)").format(n=changed)
        parts = [used, *(f"{n} {said(code)}" for code, n in counts.items())]
        return f"{count(len(self.rows), '{n} row', '{n} rows')}: {', '.join(parts)}"

    def document(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {
            "driver": self.driver,
            "rows": [_row(row) for row in self.rows],
            "counts": dict(Counter(row.code or row.state for row in self.rows)),
            "questions": [_asked(question) for question in self.questions],
            "assumed": {question.id: question.default for question in self.taken},
            "unsaid": self.unsaid,
            "notes": list(self.notes),
            "devices": self.blocks(),
        }


def said(code: str) -> str:
    """Say in a word or two what is wrong with a row."""
    words = {
        "access": _("not readable"),
        "address": _("address unclear"),
        "duplicate": _("duplicate"),
        "heading": _("without an address"),
        "interval": _("interval unclear"),
        "order": _("byte order unclear"),
        "scale": _("factor unclear"),
        "type": _("type unclear"),
        "value": _("number unclear"),
        OPEN: _("waiting for an answer"),
    }
    return words.get(code, code)


def _row(row: Listed) -> dict[str, Any]:
    return {
        "row": row.row,
        "state": row.state,
        "code": row.code,
        "remark": row.remark,
        "device": row.device,
        "name": row.name,
        "point": dict(row.point) or None,
    }


def _asked(question: Asked) -> dict[str, Any]:
    return {
        "id": question.id,
        "text": question.text,
        "why": question.why,
        "choices": {choice.word: choice.text for choice in question.choices},
        "rows": list(question.rows),
    }


def _block(
    name: str, label: str, points: Mapping[str, Point], shared: Sequence[str]
) -> dict[str, Any]:
    common = dict(_common(points, shared))
    return {
        "name": name,
        **({"label": label} if label else {}),
        **({"address": common} if common else {}),
        "points": {point: _without(body, common) for point, body in points.items()},
    }


def _common(points: Mapping[str, Point], shared: Sequence[str]) -> Iterator[tuple[str, Any]]:
    addresses = [point["address"] for point in points.values()]
    for key in shared:
        values = [address.get(key) for address in addresses]
        if values and values[0] is not None and all(value == values[0] for value in values):
            yield key, values[0]


def _without(point: Point, common: Mapping[str, Any]) -> dict[str, Any]:
    own = {key: value for key, value in point["address"].items() if key not in common}
    return {**point, "address": own}
