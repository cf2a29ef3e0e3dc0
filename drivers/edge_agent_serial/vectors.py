"""Runs the vectors of a recipe: bytes, and what they must stand for. Pure.

They are the acceptance test of whoever writes a recipe, and run whenever the recipe is tested.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from edge_agent.language import _
from edge_agent_serial.denied import objection
from edge_agent_serial.engine import Engine
from edge_agent_serial.expression import Scalar
from edge_agent_serial.frames import Frame
from edge_agent_serial.part import written
from edge_agent_serial.quality import written as verdict
from edge_agent_serial.recipe import Exchange, Outcome, Recipe, Vector
from edge_agent_serial.request import NoRequest
from edge_agent_serial.session import Conversation, Hear, ReadFrame, Say, SessionFailed, Speed


class Result(NamedTuple):
    """What came of one vector.

    Attributes:
        name: Its name.
        mistakes: What differs, each as a sentence; none where it holds.
        frames: What was read.
    """

    name: str
    mistakes: tuple[str, ...]
    frames: tuple[Frame, ...] = ()

    @property
    def holds(self) -> bool:
        """Tell whether all is as it must be."""
        return not self.mistakes


def run(recipe: Recipe) -> Iterator[Result]:
    """Run all vectors, one after the other."""
    return (run_one(recipe, vector) for vector in recipe.vectors)


def run_one(recipe: Recipe, vector: Vector) -> Result:
    """Run one vector."""
    try:
        if vector.denied is not None:
            return Result(vector.name, tuple(_denied(recipe, vector.denied)))
        if vector.sends is not None:
            return Result(vector.name, tuple(_built(recipe, vector)))
        if vector.session:
            frames, mistakes = _conversation(recipe, vector)
        else:
            frames, mistakes = _frames(recipe, vector), []
    except (NoRequest, SessionFailed) as error:
        return Result(vector.name, (str(error),))
    mistakes += _compared(vector.outcomes(), frames)
    return Result(vector.name, tuple(mistakes), tuple(frames))


def _denied(recipe: Recipe, data: bytes) -> Iterator[str]:
    if objection(data, recipe.family, recipe.deny) is None:
        yield _("{data!r} would be sent").format(data=written(data))


def _built(recipe: Recipe, vector: Vector) -> Iterator[str]:
    request = recipe.request(vector.request or "")
    sent = Engine(recipe).ask(request, vector.parameters)
    if sent != vector.sends:
        yield _("{sent} is sent, not {sends}").format(
            sent=sent.hex(" ").upper(), sends=(vector.sends or b"").hex(" ").upper()
        )


def _frames(recipe: Recipe, vector: Vector) -> list[Frame]:
    """Feed the bytes at once and in single bytes: pieces must make no difference."""
    at_once = _engine(recipe, vector)
    data = vector.octets or b""
    frames = [*at_once.feed(data), *at_once.silence()]
    piecemeal = _engine(recipe, vector)
    pieces = [frame for byte in data for frame in piecemeal.feed(bytes((byte,)))]
    pieces += piecemeal.silence()
    return frames if frames == pieces else [*frames, *pieces]


def _engine(recipe: Recipe, vector: Vector) -> Engine:
    if vector.request is None:
        return Engine(recipe, vector.parameters)
    engine = Engine(recipe)
    engine.ask(recipe.request(vector.request), vector.parameters)
    return engine


def _compared(outcomes: tuple[Outcome, ...], frames: list[Frame]) -> list[str]:
    if len(outcomes) != len(frames):
        return [
            _("{frames} frames were read, not {outcomes}").format(
                frames=len(frames), outcomes=len(outcomes)
            )
        ]
    return [
        mistake
        for outcome, frame in zip(outcomes, frames, strict=True)
        for mistake in _differences(outcome, frame)
    ]


def _differences(outcome: Outcome, frame: Frame) -> Iterator[str]:
    wanted = {"the frame": outcome.flaw, **outcome.flaws}
    found = {"the frame": verdict(frame.flaw)}
    found |= {name: verdict(flaw) for name, flaw in frame.flaws.items()}
    for name in sorted(found.keys() | wanted.keys()):
        one, other = found.get(name, "good"), wanted.get(name, "good")
        if one != other:
            yield _("{name} is {one}, not {other}").format(name=name, one=one, other=other)
    yield from _other_values(outcome, frame)


def _other_values(outcome: Outcome, frame: Frame) -> Iterator[str]:
    for name, value in outcome.fields.items():
        if name not in frame.fields:
            yield _("there is no field {name}; there are {fields}").format(
                name=name, fields=", ".join(frame.fields)
            )
        elif not _same(frame.fields[name], value):
            yield _("{name} is {fields!r}, not {value!r}").format(
                name=name, fields=frame.fields[name], value=value
            )


def _same(one: Scalar, other: Scalar) -> bool:
    if isinstance(one, bool) or isinstance(other, bool) or None in (one, other):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return one == other


def _conversation(recipe: Recipe, vector: Vector) -> tuple[list[Frame], list[str]]:
    """Hold the session with the turns of the vector in place of an instrument."""
    conversation = Conversation(recipe, vector.parameters)
    engine = Engine(recipe, vector.parameters)
    turns = list(vector.session)
    frames: list[Frame] = []
    while (turn := conversation.turn()) is not None:
        if isinstance(turn, Say | Speed):
            if mistake := _expected(turn, turns):
                return frames, [mistake]
            continue
        frames += _heard(conversation, engine, turn, turns)
    return frames, [
        _("the session ends, and {turns} turns are left").format(turns=len(turns))
    ] if turns else []


def _expected(turn: Say | Speed, turns: list[Exchange]) -> str | None:
    wanted = turns.pop(0) if turns else None
    done = {"sends": written(turn.data)} if isinstance(turn, Say) else {"baud": turn.baud}
    asked = wanted.model_dump(exclude_none=True) if wanted is not None else None
    return (
        None
        if done == asked
        else _("the session goes on with {done}, not {asked}").format(done=done, asked=asked)
    )


def _heard(
    conversation: Conversation, engine: Engine, turn: Hear | ReadFrame, turns: list[Exchange]
) -> list[Frame]:
    frames = engine.feed(turn.heard) if isinstance(turn, ReadFrame) else []
    while turns and (heard := turns[0].hears) is not None:
        del turns[0]
        if isinstance(turn, ReadFrame):
            frames += engine.feed(heard)
        elif conversation.hear(heard):
            break
    return frames
