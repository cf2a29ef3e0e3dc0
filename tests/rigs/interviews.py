"""Answers that every conversation of the wizard begins with."""

from edge_agent.setup.interview import Interview

BEGINNING = {"language": "en", "site": "factory-1", "gateway": "gw-01", "box": "on"}


def begins(talk: Interview) -> None:
    """Answer until devices are asked for; `box` only where this machine is not at its best."""
    while talk.question.id in BEGINNING:
        talk.answer(BEGINNING[talk.question.id])
