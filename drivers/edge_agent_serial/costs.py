"""How long reading takes: on the line when all is well, and at most. Pure; in seconds."""

from collections.abc import Sequence

from edge_agent_serial.config import SerialSettings
from edge_agent_serial.questions import Question, Questions
from edge_agent_serial.recipe import Recipe
from edge_agent_serial.steps import Expect, ReadFrames, Session, SetBaud

USUAL_ANSWER = 32
"""Bytes; only to estimate how long the line is busy."""
EVENT_WAIT = 15.0
"""Seconds in which a person can walk to a reader or a gauge and use it."""
_QUIET = 6.0  # a line is given so long to become quiet, at most
_CHARACTER_BITS = 10
_SLOWEST = 300  # baud, with which conversations begin


def cost_of(settings: SerialSettings, known: Questions, questions: Sequence[Question]) -> float:
    """Give the seconds that the line is busy, or must rest, for these questions."""
    recipe = known.recipe
    if settings.mode == "session" and recipe.session is not None:
        return len(questions) * recipe.session.min_interval
    if settings.mode != "poll":
        return 0.0
    cost = 0.0
    for question in questions:
        request = recipe.request(question.request)
        wire = (len(known.data(question)) + USUAL_ANSWER) * settings.character
        cost += 0.0 if request.once else max(wire, request.min_interval)
    return cost


def wait_of(settings: SerialSettings) -> float:
    """Give the seconds to wait for a frame that comes by itself, or when somebody makes it come."""
    return max(settings.timeout, EVENT_WAIT if settings.mode == "event" else 0.0)


def patience_of(settings: SerialSettings, recipe: Recipe, questions: Sequence[Question]) -> float:
    """Give more than a read can take."""
    if settings.mode == "session" and recipe.session is not None:
        return 1 + len(questions) * _longest_session(recipe.session)
    if settings.mode != "poll":
        return wait_of(settings) + 1
    # for a late answer, for a frame to end, and for the answer
    waits = sum(3 * _patience(settings, recipe, question) for question in questions)
    rests = sum(recipe.request(question.request).min_interval for question in questions)
    return waits + rests + 1


def _patience(settings: SerialSettings, recipe: Recipe, question: Question) -> float:
    if settings.answer_timeout is not None:
        return settings.answer_timeout
    request = recipe.request(question.request)
    parts = 1 + (request.follow.most if request.follow else 0)
    return request.timeout * parts + 300 * settings.character


def _longest_session(session: Session) -> float:
    seconds = session.min_interval + _QUIET
    for step in session.steps:
        if isinstance(step, Expect | ReadFrames):
            seconds += step.timeout
        elif isinstance(step, SetBaud):
            seconds += step.after
        else:
            seconds += len(step.send) * _CHARACTER_BITS / _SLOWEST
    return seconds
