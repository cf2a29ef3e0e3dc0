r"""How many repetitions of a regular expression can share one run of characters. Pure.

The matcher tries all ways to divide a run among them: for `\d*\d*x` and n digits about n * n ways,
for three n * n * n. Repetitions with something else between them, as in `\d*,\d*`, share nothing.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

_CHARACTERS = [chr(code) for code in range(256)]
_REPEAT = re.compile(r"[*+?]|\{\d*,?\d*\}")
_MANY = re.compile(r"[*+]|\{\d*,\}|\{(?:\d*,)?\d{2,}\}")
_OPTIONAL = re.compile(r"[*?]|\{0?,\d*\}")
_NO_CHARACTER = re.compile(r"[\^$]|\\[AbBZ]|\\[1-9]")


class _Item(NamedTuple):
    """One piece of a pattern, with how often it stands there.

    Attributes:
        what: The characters it can stand for, or the alternatives of a group.
        many: It can stand there ten times or more.
        optional: It can be missing.
    """

    what: "frozenset[str] | _Group"
    many: bool
    optional: bool


_Group: TypeAlias = list[list[_Item]]


def most_in_a_row(pieces: Sequence[str]) -> int:
    """Count them, for the character of which most can share a run.

    Args:
        pieces: The pattern, cut into escapes, sets, repetitions and other characters; `(` stands
            for whatever opens a group.
    """
    group = _group(iter([*pieces, ")"]))
    return max(_Runs(character).through(group, 0)[1] for character in _CHARACTERS)


class _Runs:
    """Follows runs of one character through a pattern."""

    def __init__(self, character: str) -> None:
        self._character = character

    def through(self, group: _Group, run: int) -> tuple[int, int]:
        """Give how many share the run that leaves the group, and the most inside or before.

        Args:
            group: What it goes through.
            run: How many share the run that comes in.
        """
        ways = [self._along(way, run) for way in group]
        return max(last for last, _ in ways), max(most for _, most in ways)

    def _along(self, way: list[_Item], run: int) -> tuple[int, int]:
        most = run
        for item in way:
            run, inside = self._past(item, run)
            most = max(most, run, inside)
        return run, most

    def _past(self, item: _Item, run: int) -> tuple[int, int]:
        if isinstance(item.what, frozenset):
            goes_on = self._character in item.what
            after = run if goes_on else 0
            inside = after
        else:
            goes_on = self.through(item.what, 1)[0] > 0
            after, inside = self.through(item.what, run)
        if item.many and goes_on:
            after = max(after, run + 1)
        return (max(after, run) if item.optional else after), inside


def _group(pieces: Iterator[str]) -> _Group:
    """Read the alternatives up to the bracket that closes them."""
    group: _Group = [[]]
    for piece in pieces:
        if piece == ")":
            break
        _add(group, piece, pieces)
    return group


def _add(group: _Group, piece: str, rest: Iterator[str]) -> None:
    if piece == "|":
        group.append([])
    elif _REPEAT.fullmatch(piece):
        _repeat(group[-1], piece)
    elif piece == "(":
        group[-1].append(_Item(_group(rest), many=False, optional=False))
    elif not _NO_CHARACTER.fullmatch(piece):
        group[-1].append(_Item(_taken_by(piece), many=False, optional=False))


def _repeat(way: list[_Item], piece: str) -> None:
    if way:
        is_many, is_optional = _MANY.fullmatch(piece), _OPTIONAL.fullmatch(piece)
        last = way[-1]
        way[-1] = _Item(last.what, last.many or bool(is_many), last.optional or bool(is_optional))


def _taken_by(piece: str) -> frozenset[str]:
    """Give the characters a piece can stand for; all of them where that is not known."""
    try:
        one = re.compile(piece, re.DOTALL | re.IGNORECASE)
    except re.error:
        return frozenset(_CHARACTERS)
    return frozenset(filter(one.fullmatch, _CHARACTERS))
