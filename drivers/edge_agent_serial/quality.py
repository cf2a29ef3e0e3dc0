"""Which frames are not good, and why: a moving weight never is. Pure."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator

from edge_agent.driver import Flaw, Quality, Why
from edge_agent.language import _
from edge_agent_serial.expression import Calculation, Expression, ExpressionFailed

_WORDS = {"uncertain": Quality.UNCERTAIN, "bad": Quality.BAD}


def flaw_of(verdict: str) -> Flaw | None:
    """Read `good`, `uncertain:dynamic` or `bad:overload`; good is None.

    Raises:
        ValueError: It is none of these.
    """
    if verdict == "good":
        return None
    word, _colon, reason = verdict.partition(":")
    quality = _WORDS.get(word.strip())
    reasons = {why.value for why in Why}
    if quality is None or reason.strip() not in reasons:
        raise ValueError(
            _(
                "{verdict!r} is no quality: write good, uncertain:REASON or bad:REASON; "
                "reasons are "
            ).format(verdict=verdict)
            + ", ".join(sorted(reasons))
        )
    return Flaw(quality, Why(reason.strip()))


def written(flaw: Flaw | None) -> str:
    """Write a flaw as a recipe does."""
    if flaw is None:
        return "good"
    return f"{'bad' if flaw.quality is Quality.BAD else 'uncertain'}:{flaw.why.value}"


def _check(verdict: str) -> str:
    flaw_of(verdict)
    return verdict


Verdict = Annotated[str, AfterValidator(_check)]
"""`good`, `uncertain:REASON` or `bad:REASON`."""

Rules = Mapping[Calculation, Verdict]
"""Condition -> quality of the whole frame; the first condition that is true counts."""


class _Rule(NamedTuple):
    condition: Expression
    flaw: Flaw | None


class Judge:
    """Says of a frame how far it can be trusted."""

    def __init__(self, rules: Iterable[tuple[str, str]]) -> None:
        self._rules = [_Rule(Expression(text), flaw_of(verdict)) for text, verdict in rules]

    def judge(
        self, fields: Mapping[str, Any], flaws: Mapping[str, Flaw], detail: str
    ) -> Flaw | None:
        """Give the flaw of all values of a frame with these fields.

        A condition that cannot be worked out, or needs a field that could not be read, means that
        the frame is not understood, so it is bad.
        """
        for rule in self._rules:
            if unread := rule.condition.names & flaws.keys():
                return flaws[min(unread)]
            try:
                applies = rule.condition(fields)
            except ExpressionFailed as error:
                return Flaw(Quality.BAD, Why.DECODE_ERROR, str(error))
            if applies:
                return rule.flaw and rule.flaw._replace(detail=detail)
        return None
