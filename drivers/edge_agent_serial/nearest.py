"""Which known word was probably meant. Pure."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give a hint such as `did you mean weight?`, or the list of what is known."""
    words = list(known)
    near = difflib.get_close_matches(word.lower(), words, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"known here: {', '.join(words)}" if words else "nothing of the kind is known here"
