"""What is on the screen while values are chosen in a tree, and what an answer makes of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from edge_agent.commissioning import Values, _
from edge_agent_opcua.address import NODE_ID
from edge_agent_opcua.setup_listing import key, numbers, pages

MORE, UP, ALL, DONE = "+", "-", "*", "0"
"""Keys that are on every keyboard, and need no switch of the input method."""


@dataclass(frozen=True, slots=True)
class View:
    """What is on the screen.

    Attributes:
        start: Browse path whose nodes are shown; empty for the top.
        contains: Only values with this in their path, wherever they are.
        flat: Whether values further down are shown, too.
        trail: Where somebody came from, place by place.
        page: Which screen of them, from 0 on.
        chosen: Values that are chosen, by what tells them apart.
    """

    start: str = ""
    contains: str = ""
    flat: bool = False
    trail: tuple[tuple[str, str, bool], ...] = ()
    page: int = 0
    chosen: dict[str, Values] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, str, bool]:
        """What has to be read from the server for it."""
        return self.start, self.contains, self.flat

    def checked(self, answer: str, rows: Sequence[Values]) -> str:
        """Let an answer pass that does.

        Raises:
            ValueError: It does not; the message is a sentence.
        """
        if not answer.strip():
            raise ValueError(_("Please type an answer; ? tells more."))
        if answer == DONE and not self.chosen:
            raise ValueError(_("Nothing is chosen yet; type the number of a value."))
        if answer not in {DONE, MORE, UP, ALL} and not node_ids(answer):
            _check_numbers(answer, rows)
        return answer

    def after(self, answer: str, rows: Sequence[Values]) -> "View":
        """Give what is on the screen after an answer that has passed."""
        if answer == MORE:
            return replace(self, page=(self.page + 1) % pages(rows))
        if answer == UP:
            return self._up()
        if answer == ALL:
            return self._went(self.start, "", flat=True)
        if ids := node_ids(answer):
            return replace(self, chosen={**self.chosen, **_by_key([_typed(each) for each in ids])})
        found = numbers(answer, len(rows))
        if found is None:
            return self._went("", answer, flat=False)
        return self._took([rows[number - 1] for number in found])

    def _went(self, start: str, contains: str, *, flat: bool) -> "View":
        trail = (*self.trail, self.place)
        return View(start, contains, flat, trail, chosen=self.chosen)

    def _up(self) -> "View":
        """Go back to where one came from; at the top there is nothing above."""
        *before, last = self.trail or (self.place,)
        return View(*last, tuple(before), chosen=self.chosen)

    def _took(self, wanted: Sequence[Values]) -> "View":
        """Open a folder, or choose values; those that are all chosen already are taken back."""
        if wanted[0]["kind"] == "folder":
            return self._went(wanted[0]["path"], "", flat=False)
        rows = _by_key(wanted)
        if rows.keys() <= self.chosen.keys():
            left = {each: row for each, row in self.chosen.items() if each not in rows}
            return replace(self, chosen=left)
        return replace(self, chosen={**self.chosen, **rows})


def _check_numbers(answer: str, rows: Sequence[Values]) -> None:
    wanted = [rows[number - 1] for number in numbers(answer, len(rows)) or ()]
    if len(wanted) > 1 and any(row["kind"] == "folder" for row in wanted):
        raise ValueError(_("Open one folder at a time; values can be chosen together."))
    for row in wanted:
        if row["kind"] == "value" and not row["ok"]:
            raise ValueError(_("{name} cannot be read here.").format(name=row["name"]))


def _by_key(rows: Sequence[Values]) -> dict[str, Values]:
    return {key(row): row for row in rows}


def node_ids(answer: str) -> list[str]:
    """Take node ids, one a line; nothing if it is something else."""
    ids = [line.strip() for line in answer.splitlines() if line.strip()]
    return ids if all(NODE_ID.fullmatch(each) for each in ids) else []


def _typed(node: str) -> Values:
    """Make a row of a node id that somebody typed: what it holds is seen when it is tried."""
    name = node.rpartition("=")[2]
    return {
        "kind": "value", "name": name, "path": "", "address": node, "part": "", "unit": "",
        "type": "", "value": "--", "ok": True,
    }  # fmt: skip
