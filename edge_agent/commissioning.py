"""What a driver's part of the setup wizard may use: the words of questions, and the wizard's own.

See `edge_agent.setup.kind` for what a driver brings, and `edge_agent.setup.question` for how a
conversation is written.
"""

from edge_agent.language import _, count
from edge_agent.setup.draft import Values
from edge_agent.setup.kind import Draft, Kind, Link
from edge_agent.setup.meaning import to_host, whole
from edge_agent.setup.question import (
    Choice,
    Look,
    Question,
    Rewind,
    Step,
    Steps,
    ask,
    look,
    menu,
    one_of,
    optional,
    valid,
)

__all__ = [
    "Choice",
    "Draft",
    "Kind",
    "Link",
    "Look",
    "Question",
    "Rewind",
    "Step",
    "Steps",
    "Values",
    "_",
    "ask",
    "count",
    "look",
    "menu",
    "one_of",
    "optional",
    "to_host",
    "valid",
    "whole",
]
