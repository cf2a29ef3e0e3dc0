"""An open line: what carries bytes, what makes frames of them, and what keeps those."""

from typing import NamedTuple

from edge_agent_serial.engine import Engine
from edge_agent_serial.inbox import Inbox
from edge_agent_serial.link import Link


class Talk(NamedTuple):
    """What is needed to talk over one open line."""

    link: Link
    inbox: Inbox
    engine: Engine
