r"""Regular expressions that cannot stall the agent. Pure.

Python's matcher tries alternatives one after the other and cannot be interrupted, so a pattern
like `(\d+)*x` needs longer than a shift for a line of 40 digits. Lines are short (`lines.LONGEST`),
and what takes exponential time on them is refused when the configuration is checked.
"""

import itertools
import re

MOST_WILDCARDS = 3
"""Each further `.*` multiplies the time by the line's length: three need 50 ms at worst."""

# an escape, a set of characters, a repetition, or any other single character
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[*+?]|\{\d*,?\d*\}|.", re.DOTALL)
_LOOSE = re.compile(r"[*+?]|\{\d*,\d*\}|\|")
_REPEAT = re.compile(r"[*+]|\{\d*,?\d*\}")


def compile_bounded(text: str) -> re.Pattern[str]:
    """Compile a regular expression whose time is bounded.

    Raises:
        ValueError: It is no regular expression, or one that may take forever.
    """
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
    pieces = _PIECE.findall(text)
    if _repeats_something_loose(pieces):
        raise ValueError(
            f"{text!r} repeats a group that itself repeats, which can take forever: write the "
            r"inside once, as one set of characters, such as [\d,]* for (?:\d+,)*"
        )
    wildcards = sum(
        one == "." and bool(_REPEAT.fullmatch(two)) for one, two in itertools.pairwise(pieces)
    )
    if wildcards > MOST_WILDCARDS:
        raise ValueError(
            f"{text!r} has {wildcards} wildcards like .*, which can take too long: keep at most "
            f"{MOST_WILDCARDS} and say of the others what they stand for, such as [^,]*"
        )
    return pattern


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
