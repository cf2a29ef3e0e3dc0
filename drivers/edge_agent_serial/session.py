"""A conversation with an instrument, step by step. Pure: somebody else sends, waits and listens."""

import re
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from edge_agent.language import _
from edge_agent_serial.expression import Scalar
from edge_agent_serial.patterns import LONGEST_TEXT
from edge_agent_serial.recipe import Expect, Recipe, Send, Session, SetBaud
from edge_agent_serial.request import build, settled

MOST_HEARD = LONGEST_TEXT
"""Bytes kept while an answer is waited for."""


class SessionFailed(Exception):  # noqa: N818 - names say what happened
    """The instrument said something the conversation has no answer to."""


class Say(NamedTuple):
    """Send these bytes."""

    data: bytes


class Hear(NamedTuple):
    """Listen, and hand what comes to `Conversation.hear` until it says so, at most this long."""

    timeout: float


class Speed(NamedTuple):
    """Let what was sent leave the line, wait, and change the speed."""

    baud: int
    wait: float


class ReadFrame(NamedTuple):
    """Hand what comes to the engine until it gives a frame, at most this long.

    `heard` has come already, behind the last answer: hand it over first.
    """

    timeout: float
    heard: bytes


Turn: TypeAlias = Say | Hear | Speed | ReadFrame


class Conversation:
    """Goes through the steps of a recipe's session once."""

    def __init__(self, recipe: Recipe, parameters: Mapping[str, Scalar]) -> None:
        """Begin.

        Raises:
            NoRequest: A parameter is missing or does not fit.
            ValueError: The recipe has no session.
        """
        if recipe.session is None:
            raise ValueError(_("the recipe {name} has no session").format(name=recipe.name))
        self._recipe = recipe
        self._session: Session = recipe.session
        self._known: dict[str, Scalar] = settled(recipe.parameters, parameters)
        self._next = 0
        self._heard = b""

    def turn(self) -> Turn | None:
        """Give what to do next; None when the conversation is over.

        After it the line gets the speed back that is configured.

        Raises:
            NoRequest: What is to be sent cannot be built, or is no question.
            SessionFailed: The instrument named a speed that is not known.
        """
        if self._next >= len(self._session.steps):
            return None
        step = self._session.steps[self._next]
        self._next += 1
        if isinstance(step, Send):
            self._heard = b""
            return Say(build(self._recipe, step.send, self._known))
        if isinstance(step, SetBaud):
            return Speed(self._speed(step), step.after)
        if isinstance(step, Expect):
            return Hear(step.timeout)
        return ReadFrame(step.timeout, self._heard)

    def hear(self, data: bytes) -> bool:
        """Take what came, and tell whether the answer is complete."""
        step = self._session.steps[self._next - 1]
        if not isinstance(step, Expect):
            return True
        self._heard = (self._heard + data)[-MOST_HEARD:]
        found = re.search(step.expect, self._heard.decode("latin-1"))
        if found is None:
            return False
        self._known.update(found.groupdict())
        self._heard = self._heard[found.end() :]
        return True

    def _speed(self, step: SetBaud) -> int:
        if isinstance(step.set_baud, int):
            return step.set_baud
        said = str(self._known.get(step.set_baud))
        speed = step.table.get(said)
        if speed is None:
            raise SessionFailed(
                _(
                    "the instrument wants the speed {said!r}, which the recipe does not "
                    "know: {table}"
                ).format(said=said, table=", ".join(step.table))
            )
        return speed
