"""The platform's side: which numbers arrived, which are named lost, which are missing. Pure.

Counting starts with the lowest number seen of each epoch, since a platform may begin to listen in
the middle of one.
"""

from typing import Any

from edge_agent.ranges import Ranges

Payload = dict[str, Any]


class Account:
    """The numbers of one epoch of one agent."""

    def __init__(self, agent: str, epoch: str) -> None:
        self.agent = agent
        self.epoch = epoch
        self.received = Ranges()
        self.duplicates = 0
        self.losses: list[Payload] = []

    def add(self, number: int) -> None:
        """Take note that a message arrived."""
        self.duplicates += not self.received.add(number)

    def missing(self) -> list[tuple[int, int]]:
        """Give the numbers that neither arrived nor stand in a record of loss."""
        covered = Ranges(self.received.pairs())
        lowest, highest = self.received.lowest, self.received.highest
        for loss in self.losses:
            # Where a destroyed buffer leaves an end unknown, everything on that side is named.
            first = loss["first"] if loss["first"] is not None else lowest
            last = loss["last"] if loss["last"] is not None else highest
            if first is not None and last is not None and first <= last:
                covered.add(first, last)
        return [pair for pair in covered.gaps() if lowest is not None and pair[1] > lowest]

    def report(self) -> Payload:
        """Describe it as `edge-agent verify --json` does."""
        return {
            "agent": self.agent,
            "epoch": self.epoch,
            "first": self.received.lowest,
            "last": self.received.highest,
            "received": len(self.received),
            "duplicates": self.duplicates,
            "missing": [list(pair) for pair in self.missing()],
            "losses": self.losses,
        }


class Accounts:
    """Everything that was followed, by agent and epoch."""

    def __init__(self) -> None:
        self._accounts: dict[tuple[str, str], Account] = {}

    def add(self, agent: str, payload: Payload) -> None:
        """Take one data or loss message of an agent."""
        account = self._account(agent, payload["epoch"])
        known = payload["seq"] in account.received
        account.add(payload["seq"])
        if "lost_epoch" in payload and not known:
            named = ("first", "last", "readings", "from", "to", "exposed_ms", "why")
            loss = {key: payload.get(key) for key in named}
            self._account(agent, payload["lost_epoch"]).losses.append(loss)

    def report(self) -> Payload:
        """Describe everything, as `edge-agent verify --json` does."""
        return {"agents": [account.report() for account in self._accounts.values()]}

    def complete(self) -> bool:
        """Tell whether every number is accounted for."""
        return not any(account.missing() for account in self._accounts.values())

    def state(self) -> list[Payload]:
        """Give everything as JSON-able data, to go on another time."""
        return [{**one.report(), "ranges": one.received.pairs()} for one in self._accounts.values()]

    def restore(self, state: list[Payload]) -> None:
        """Go on from an earlier `state`."""
        for saved in state:
            account = self._account(saved["agent"], saved["epoch"])
            account.duplicates += saved["duplicates"]
            account.losses += saved["losses"]
            for first, last in saved["ranges"]:
                account.received.add(first, last)

    def _account(self, agent: str, epoch: str) -> Account:
        return self._accounts.setdefault((agent, epoch), Account(agent, epoch))
