"""Tells from captured bytes which known instrument family sent them. Pure."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from edge_agent_serial.engine import Engine
from edge_agent_serial.recipe import Recipe


class Recognised(NamedTuple):
    """A recipe that understands what was heard.

    Attributes:
        name: Of the recipe.
        frames_ok: Frames it understands.
        frames_bad: Frames it does not, damaged ones included.
    """

    name: str
    frames_ok: int
    frames_bad: int

    @property
    def rank(self) -> tuple[int, int]:
        """Sort by how much speaks for it, and then how little against it."""
        return self.frames_ok - self.frames_bad, self.frames_ok


def recognise(heard: bytes, recipes: Iterable[Recipe]) -> list[Recognised]:
    """Give the recipes that understand what was heard, the likeliest first.

    A recipe without a signature (`match`), as the generic ones, is never named: it fits too much to
    tell anything. Neither is one that understands less than half of the frames.

    Args:
        heard: Everything that arrived, in order.
        recipes: Those that come into question.
    """
    looked = (_look(heard, recipe) for recipe in recipes)
    found = [one for one in looked if one is not None and one.frames_ok > one.frames_bad]
    return sorted(found, key=lambda one: one.rank, reverse=True)


def _look(heard: bytes, recipe: Recipe) -> Recognised | None:
    """Read with one recipe; None unless enough frames carry its signature."""
    if recipe.match is None:
        return None
    engine = Engine(recipe)
    frames = [*engine.feed(heard), *engine.silence()]
    signature = re.compile(recipe.match.pattern, re.DOTALL)
    if sum(bool(signature.search(_text(frame.raw))) for frame in frames) < recipe.match.frames:
        return None
    counts = engine.counts
    return Recognised(
        recipe.name, len(frames), counts["unmatched"] + counts["damaged"] + counts["overlong"]
    )


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")
