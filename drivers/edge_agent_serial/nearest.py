"""Which known word was probably meant. Pure."""

import difflib
from collections.abc import Iterable

from edge_agent.language import _


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give a hint such as `did you mean weight?`, or the list of what is known."""
    words = list(known)
    near = difflib.get_close_matches(word.lower(), words, n=1)
    if near:
        return _("did you mean {near}?").format(near=near[0])
    return (
        _("known here: {words}").format(words=", ".join(words))
        if words
        else _("nothing of the kind is known here")
    )
