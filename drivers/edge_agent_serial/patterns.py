r"""Regular expressions that cannot stall the agent. Pure.

Python's matcher tries alternatives one after the other and cannot be interrupted, so a pattern
like `(\d+)*x` needs longer than a shift for a line of 40 digits. Texts are short (`LONGEST_TEXT`),
and what takes too long on them is refused when the configuration is checked.
"""

import re

from edge_agent.language import _
from edge_agent_serial.runs import most_in_a_row

LONGEST_TEXT = 256
"""Characters of the longest text that a pattern is tried on."""

MOST_IN_A_ROW = 3
"""Repetitions that can share one run of characters, such as the two of `\\d*\\d*`. Each further one
multiplies the time by the text's length: three need 50 ms at worst."""

# an escape, a set of characters, a repetition, or any other single character
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[*+?]|\{\d*,?\d*\}|.", re.DOTALL)
_LOOSE = re.compile(r"[*+?]|\{\d*,\d*\}|\|")
_REPEAT = re.compile(r"[*+]|\{\d*,?\d*\}")
_ANCHORED = re.compile(r"(?:\(\?[aiLmsux]+\))?\^[^|]*$")
_OPENING = re.compile(
    r"(?P<other>\\.|\[\^?\]?(?:\\.|[^\]\\])*\])"
    r"|\(\?(?:(?P<nothing>P=\w+\)|[aiLmsux]+\))|(?P<look><?[=!])|(?:P<\w+>|[aiLmsux-]*:))",
    re.DOTALL,
)


def compile_bounded(text: str, *, searched: bool = False) -> re.Pattern[str]:
    """Compile a regular expression whose time is bounded.

    Args:
        text: The expression.
        searched: It is looked for at every place of a text, so it may repeat less, unless it
            begins with `^`.

    Raises:
        ValueError: It is no regular expression, or one that may take forever.
    """
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise ValueError(
            _("{text!r} is no regular expression: {error}").format(text=text, error=error)
        ) from error
    if _repeats_something_loose(_PIECE.findall(text)):
        raise ValueError(
            _(
                "{text!r} repeats a group that itself repeats, which can take forever: "
                "write the inside once, as one set of characters, such as [\\d,]* for "
                "(?:\\d+,)*"
            ).format(text=text)
        )
    most = most_in_a_row(_PIECE.findall(_OPENING.sub(_plain, text)))
    limit = MOST_IN_A_ROW - (searched and not _ANCHORED.match(text))
    if most > limit:
        raise ValueError(
            _(
                "{text!r} has {most} wildcards like .* that can share the same "
                "characters, which can take too long: keep at most {limit} and say of "
                "the others what they stand for, such as [^,]*"
            ).format(text=text, most=most, limit=limit)
        )
    return pattern


def _plain(found: re.Match[str]) -> str:
    """Write whatever opens a group as `(`; what only looks may as well not be there."""
    if found["other"] or found["nothing"]:
        return found["other"] or ""
    return "(|" if found["look"] else "("


def _repeats_something_loose(pieces: list[str]) -> bool:
    """Tell whether a group of varying length is itself repeated."""
    loose = [False]  # per open group: does it vary in length?
    for index, piece in enumerate(pieces):
        if piece == "(":
            loose.append(False)
        elif piece == ")":
            inside = loose.pop()
            after = pieces[index + 1] if index + 1 < len(pieces) else ""
            if inside and _REPEAT.fullmatch(after):
                return True
            loose[-1] |= inside
        elif _LOOSE.fullmatch(piece) and pieces[index - 1] != "(":  # `(?` only opens a group
            loose[-1] = True
    return False
