"""How `edge-agent import` shows a list: a line for each row, then what it leaves open."""

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from edge_agent.command import columns, printable
from edge_agent.language import _

if TYPE_CHECKING:
    from edge_agent.registers import Listed, RegisterList

_MOST_SHOWN = 200


def show(found: "RegisterList", document: Mapping[str, Any], *, as_block: bool) -> None:
    """Show the rows; before a block of YAML as its comments, so that both can go into a file."""
    mark = "# " if as_block else ""
    for line in _preview(found, document):
        print((mark + line).rstrip())
    if as_block and not found.questions:
        from edge_agent.registers.yamltext import device_lines

        for block in document["devices"]:
            print("\n".join(device_lines(block, "")))
    _show_questions(found)


def _show_questions(found: "RegisterList") -> None:
    for question in found.questions:
        words = ", ".join(choice.word for choice in question.choices)
        print(f"edge-agent: --answer {question.id}=...: {question.text} ({words})", file=sys.stderr)
        for choice in question.choices:
            print(f"    {question.id}={choice.word}: {choice.text}", file=sys.stderr)
        if question.why:
            print(f"    {question.why}", file=sys.stderr)


def _preview(found: "RegisterList", document: Mapping[str, Any]) -> Iterator[str]:
    yield found.summary()
    shown = (
        [row for row in found.rows if row.remark] if len(found.rows) > _MOST_SHOWN else found.rows
    )
    yield from columns([_line(row) for row in shown], right=[0])
    yield from (printable(note) for note in found.notes)
    for question in found.taken:
        why = f"; {question.why}" if question.why else ""
        yield _("taken as {id}={word}; --answer says otherwise{why}").format(
            id=question.id, word=question.default, why=why
        )
    for key in found.unsaid if "written" not in document else ():
        yield _("the list does not say the {key} of the device: give it `address: {{{key}: ...}}`"
                ).format(key=key)  # fmt: skip
    if "written" in document:
        yield _("added to {file}: {n} points").format(file=document["written"], n=document["added"])
    if document.get("kept"):
        yield _("the one before is kept as {file}").format(file=document["kept"])


def _line(row: "Listed") -> tuple[str, ...]:
    address = row.point.get("address", {})
    place = " ".join(f"{key}={value}" for key, value in address.items())
    if row.code:
        place = row.cells.get("address", "")
    unit = str(row.point.get("unit", ""))
    scale = str(row.point.get("scale", ""))
    cells = (str(row.row), _state(row), row.name, place, scale, unit, row.remark)
    return tuple(map(printable, cells))


def _state(row: "Listed") -> str:
    words = {"ok": _("ok"), "changed": _("changed"), "refused": _("refused")}
    return words[row.state]
