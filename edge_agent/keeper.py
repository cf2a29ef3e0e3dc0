"""What a poller tells the rest of the agent."""

from typing import Protocol

from edge_agent.model import Learnt, Samples
from edge_agent.pollgroup import Part, PollGroup
from edge_agent.roster import Listener


class Keeper(Listener, Protocol):
    """Who takes what a poller brings."""

    def keep(self, group: PollGroup | Part, samples: Samples, waited: float = 0.0) -> None:
        """Take samples that came so many seconds ago."""

    def learn(self, device: str, learnt: Learnt) -> None:
        """Remember what a driver learnt about a device."""

    def time(self, device: str, seconds: float) -> None:
        """Remember how long a device takes to answer."""
