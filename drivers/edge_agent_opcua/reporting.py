"""Turns what a server says about watched nodes into changes for the agent."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from asyncua import ua

from edge_agent.driver import ChangeQueue, Changes, Sample, Samples, Why
from edge_agent_opcua import faults
from edge_agent_opcua.content import Undecoded
from edge_agent_opcua.interval import Interval
from edge_agent_opcua.noticed import Noticed
from edge_agent_opcua.notification import OVERFLOW, Said
from edge_agent_opcua.plan import lesson
from edge_agent_opcua.reconcile import Item, State
from edge_agent_opcua.services import status_name
from edge_agent_opcua.session import Session
from edge_agent_opcua.suspicion import Suspicion

_GONE = frozenset({ua.StatusCodes.BadNodeIdUnknown, ua.StatusCodes.BadNodeIdInvalid})


class Reporter:
    """Puts changes where the agent fetches them.

    Args:
        session: Whose reader makes samples of values.
        queue: Where changes go.
        noticed: Where is counted what is noticed.
        suspicion: Who compares what is reported with what is read.
    """

    def __init__(
        self,
        session: Session,
        queue: ChangeQueue,
        noticed: Noticed,
        suspicion: Suspicion,
    ) -> None:
        self._session, self._queue, self._noticed = session, queue, noticed
        self._suspicion = suspicion
        self._unwatched: dict[int, list[int]] = {}

    async def changed(self, interval: Interval, changes: Sequence[tuple[int, Said]]) -> bool:
        """Report changes, by client handle; tell whether the server has lost a node."""
        items, is_lost = interval.ledger.items, False
        rows: dict[int, tuple[list[int], list[Sample]]] = defaultdict(lambda: ([], []))
        for handle, said in changes:
            if (item := items.get(handle)) is None:
                continue  # it was given up meanwhile
            if said.status:
                is_lost |= self._look_at_status(interval, item, said.status)
            for group, place, address in item.targets:
                places, samples = rows[group]
                places.append(place)
                samples.append(sample := await self._sample(address, said))
                self._suspicion.reported(item, sample)
        for group, (places, samples) in rows.items():
            self._put(group, places, samples)
        return is_lost

    async def _sample(self, address: str, said: Said) -> Sample:
        reader = self._session.reader
        try:
            return reader.told(address, said)
        except Undecoded:
            return await reader.learned(address, said)

    def _look_at_status(self, interval: Interval, item: Item, status: int) -> bool:
        if status & OVERFLOW == OVERFLOW:
            self._noticed.add(item.targets[0].group, Counter(overflow=1))
        if status & 0xFFFF0000 not in _GONE:
            return False
        item.trouble = status_name(status)
        interval.gone.append(item)
        return True

    def _put(self, group: int, places: Sequence[int], samples: Sequence[Sample]) -> None:
        columns = Samples.of(samples)
        if columns.flaws:
            self._noticed.add(group, faults.noticed(columns.flaws.values()))
        self._queue.put(Changes(group, places, columns))

    def refused(self, item: Item, status: int) -> None:
        """Report that a node cannot be watched now."""
        said = Said(None, status, None, None)
        for group, place, address in item.targets:
            self._put(group, [place], [self._session.reader.told(address, said)])

    def nowhere(self, item: Item, sample: Sample) -> None:
        """Report that a node is not found."""
        for group, place, _ in item.targets:
            self._put(group, [place], [sample])

    def silent(self, interval: Interval, why: str) -> None:
        """Report that the server says nothing about what it should watch."""
        for group, places in interval.watched_by_group().items():
            self._queue.put(Changes(group, places, Samples.all_bad(len(places), Why.TIMEOUT, why)))

    def standing(self, interval: Interval) -> None:
        """Tell what has to be polled, where that has changed, and what is still refused."""
        self._noticed.refused(interval.every, interval.ledger.of(State.REFUSED))
        for group in interval.groups:
            places = interval.ledger.unwatched(group)
            if places != self._unwatched.get(group, []):
                self._unwatched[group] = places
                self._queue.put(Changes(group, (), Samples([]), unwatched=places))

    def learnt(self, group: int, paths: Mapping[str, str]) -> None:
        """Hand on browse paths."""
        self._queue.put(Changes(group, (), Samples([], learnt=lesson(paths))))
