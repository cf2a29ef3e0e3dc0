"""Finds numbers, units and states in frames of text that look alike. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from edge_agent.language import _

_NUMBER = r"[+-]? *\d+(?:[.,]\d+)?"
_TOKEN = re.compile(
    r"(?P<unclear>[+-]? *\d+(?:[.,]\d+){2,})"  # 1,234.5: nobody knows what it means
    rf"|(?P<number>{_NUMBER})"
    r"|(?P<word>[A-Za-z°%µ²³\xb5\xb0]+)"
    r"|(?P<blank> +)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_LONGEST_WORD = 12


class Token(NamedTuple):
    """A piece of a frame: a number, a word, or a single other character."""

    kind: str
    text: str


@dataclass(frozen=True)
class Fields:
    """What frames say.

    Attributes:
        parse: As a recipe writes it.
        fields: As a recipe writes them, the likeliest value first.
        values: Field -> what it was in each frame of that form.
        doubts: What the user should look at.
    """

    parse: Mapping[str, Any]
    fields: Mapping[str, Any]
    values: Mapping[str, Sequence[str]]
    doubts: Sequence[str]


def tokens(text: str) -> list[Token]:
    """Take a frame apart; blanks only part other pieces."""
    return [
        Token(str(found.lastgroup), found[0])
        for found in _TOKEN.finditer(text)
        if found.lastgroup != "blank"
    ]


def find_fields(texts: Sequence[str], tail: int = 0) -> Fields | None:
    """Find what differs from frame to frame.

    Args:
        texts: The frames, without start and end.
        tail: Characters at the end that are a checksum.

    Returns:
        None if there is no number in most of them.
    """
    bodies = [text[: len(text) - tail] for text in texts]
    rows = [tokens(body) for body in bodies]
    form = Counter(_form(row) for row in rows).most_common(1)[0][0]
    alike = [row for row in rows if _form(row) == form]
    columns = [[row[at].text for row in alike] for at in range(len(form))]
    kinds = [kind if kind in {"number", "word", "unclear"} else "other" for kind, _ in form]
    value = _value_at(kinds, columns)
    if value is None:
        return None
    names = _names(kinds, columns, value)
    pattern = "".join(_piece(kinds[at], columns[at], names.get(at)) for at in range(len(form)))
    return Fields(
        parse={"kind": "regex", "patterns": [f"{pattern} *{_tail_pattern(tail)}"]},
        fields=_fields(names, value),
        values={name: columns[at] for at, name in _sorted(names, value)},
        doubts=(
            *_doubts_about_value(kinds, columns[value]),
            *_doubts_about_words(kinds, columns, names),
            *_doubts_about_others(len(rows) - len(alike), len(rows)),
        ),
    )


def form_of(text: str) -> tuple[tuple[str, str], ...]:
    """Give what frames of the same form have in common."""
    return _form(tokens(text))


def _form(row: Sequence[Token]) -> tuple[tuple[str, str], ...]:
    """Give what frames of the same form have in common: kinds of pieces, and the marks as such."""
    return tuple((token.kind, token.text if token.kind == "other" else "") for token in row)


def _value_at(kinds: Sequence[str], columns: Sequence[Sequence[str]]) -> int | None:
    """Give the number that is most likely the value: it changes most, and has decimals."""
    numbers = [at for at, kind in enumerate(kinds) if kind == "number"]
    if not numbers:
        return None
    return max(
        numbers,
        key=lambda at: (
            len(set(columns[at])),
            any(mark in columns[at][0] for mark in ".,"),
            columns[at][0].startswith(("+", "-")),
            -at,
        ),
    )


def _names(kinds: Sequence[str], columns: Sequence[Sequence[str]], value: int) -> dict[int, str]:
    """Name what can be read: the value, its unit, words that change, further numbers."""
    names = {value: "value"}
    if value + 1 < len(kinds) and kinds[value + 1] == "word":
        names[value + 1] = "unit"
    others = [at for at in range(len(kinds)) if at not in names]
    numbers = [at for at in others if kinds[at] == "number"]
    words = [at for at in others if kinds[at] == "word" and len(set(columns[at])) > 1]
    for prefix, places in (("number", numbers), ("state", words)):
        for count, at in enumerate(places, start=1):
            names[at] = f"{prefix}_{count}" if len(places) > 1 or prefix == "number" else prefix
    return names


def _piece(kind: str, column: Sequence[str], name: str | None) -> str:
    """Give the expression for one piece, with the blanks before it."""
    if kind == "number":
        return rf" *(?P<{name}>{_NUMBER})"
    if kind == "word" and name is not None:
        return rf" *(?P<{name}>[A-Za-z°%µ²³]{{1,{_LONGEST_WORD}}})"
    if kind == "unclear":
        return r" *[+-]?[\d., ]+"
    return " *" + re.escape(column[0])


def _tail_pattern(tail: int) -> str:
    return rf"[\x00-\xff]{{{tail}}}" if tail else ""


def _fields(names: Mapping[int, str], value: int) -> dict[str, Any]:
    return {
        name: {"type": "number"} if name.startswith(("value", "number")) else {"status": True}
        for _, name in _sorted(names, value)
    }


def _sorted(names: Mapping[int, str], value: int) -> list[tuple[int, str]]:
    return sorted(names.items(), key=lambda item: (item[0] != value, item[0]))


def _doubts_about_value(kinds: Sequence[str], column: Sequence[str]) -> Iterator[str]:
    if "unclear" in kinds:
        yield _(
            "numbers with several points or commas are not read: nobody can tell what they mean"
        )
    if any("," in text for text in column):
        yield _("a comma is taken for the decimal point: compare with the display")
    if len(set(column)) == 1:
        yield _("the value never changed: change it on the instrument and capture again")


def _doubts_about_words(
    kinds: Sequence[str], columns: Sequence[Sequence[str]], names: Mapping[int, str]
) -> Iterator[str]:
    constant = [
        columns[at][0] for at, kind in enumerate(kinds) if kind == "word" and at not in names
    ]
    if constant:
        yield (
            _(
                "{constant} never changed: capture also while the value moves, in "
                "overload and in error, since frames with other words are not read"
            ).format(constant=", ".join(constant))
        )


def _doubts_about_others(different: int, all_: int) -> Iterator[str]:
    if different:
        yield _("{different} of {all_} frames look different and are not read").format(
            different=different, all_=all_
        )
