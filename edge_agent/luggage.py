"""What was carried to a buffer's folder from other cards, and waits there: the oldest first."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import structlog

from edge_agent import waybill
from edge_agent.carried import Carried, Item
from edge_agent.clock import Clock
from edge_agent.ledger import Ledger
from edge_agent.parcel import NotAParcel, Parcel
from edge_agent.row import Loss

SAVE_PAUSE = 1.0  # seconds between notes of what was delivered; a kill repeats so much at most


class Luggage:
    """All parcels of a folder.

    Args:
        folder: The buffer's.
        blame: The buffer's own records, for what must be given up.
        clock: Tells the time since what was delivered was noted.
    """

    def __init__(self, folder: Path, blame: Ledger, clock: Clock) -> None:
        self._folder = folder
        self._blame = blame
        self._clock = clock
        self._bill = waybill.Waybill()
        self._parcels: dict[str, list[Carried]] = {}
        self._epochs: list[Carried] = []
        self._spoilt: list[Path] = []
        self._saved_at = clock.mono()
        self._log = structlog.get_logger().bind(part="buffer")

    def open(self) -> None:
        """Find out what waits, and name in the buffer's records what was damaged on the way.

        Blocks on disk. `save` must follow when the buffer's records are on disk.

        Raises:
            OSError: The disk cannot be used at present.
        """
        self._bill = waybill.read(self._folder)
        waybill.remove_unlisted(self._folder, self._bill.parcels)
        for name, delivered in self._bill.parcels.items():
            path = self._folder / name
            try:
                parcel = Parcel(path)
            except (NotAParcel, FileNotFoundError) as error:
                self._log.error("parcel_damaged", error=str(error), then="set aside")
                self._name_unknown(delivered)
                self._parcels[name] = []
                self._spoilt.append(path)
                continue
            self._parcels[name] = [
                Carried(parcel, epoch, delivered[epoch], self._blame)
                for epoch in parcel.contents.epochs
            ]
            for one in self._parcels[name]:
                one.name_absent(self._bill.named[one.epoch])
        self._list()

    def _name_unknown(self, epochs: Iterable[str]) -> None:
        """Name what was in a parcel of which not even the table of contents can be read."""
        for epoch in epochs:
            if not any(loss.lost_epoch == epoch for loss in self._blame.records):
                self._blame.add(Loss(0, 0, epoch, None, None, None, None, None, "corrupt"))

    def _list(self) -> None:
        self._epochs = [one for each in self._parcels.values() for one in each]
        self._epochs.sort(key=lambda one: one.oldest)

    # --- messages out --------------------------------------------------------------------------

    def next(self) -> Item | None:
        """Hand out what to send next."""
        return next((item for one in self._epochs if (item := one.next())), None)

    def holder(self, item: Item) -> Carried | None:
        """Give what handed out an item; None if it was the buffer itself."""
        return next((one for one in self._epochs if one.holds(item)), None)

    def give_back(self) -> None:
        """Take back everything that was handed out: its connection is lost."""
        for one in self._epochs:
            one.give_back()

    @property
    def exhausted(self) -> bool:
        """Whether everything is handed out."""
        return all(one.exhausted for one in self._epochs)

    @property
    def hungry(self) -> bool:
        """Whether little is left of what was read back, and more is on disk."""
        return any(one.hungry for one in self._epochs)

    # --- the disk ------------------------------------------------------------------------------

    async def refill(self) -> bool:
        """Read more back, if what was ready is nearly sent; tell whether it did."""
        return any([await one.refill(self._clock.boot) for one in self._epochs])

    @property
    def is_due(self) -> bool:
        """Whether it is time to `save`."""
        return self._has_news and self._clock.mono() - self._saved_at >= SAVE_PAUSE

    @property
    def _has_news(self) -> bool:
        is_spoilt = any(not each for each in self._parcels.values())
        return is_spoilt or any(one.has_news or one.done for one in self._epochs)

    async def save(self) -> None:
        """Note what was delivered, and remove parcels that are.

        What the buffer's own records name must be on disk before, so that it is not forgotten by
        both.

        Raises:
            OSError: The disk does not take it.
        """
        if not self._has_news:
            return
        noted = [one for one in self._epochs if one.has_news]
        for one in noted:
            one.has_news = False
        for name in [name for name, each in self._parcels.items() if all(one.done for one in each)]:
            del self._parcels[name], self._bill.parcels[name]
        self._saved_at = self._clock.mono()
        try:
            await asyncio.to_thread(self._write, self._bill.encode(), noted)
        except BaseException:
            for one in noted:
                one.has_news = True
            raise
        self._list()

    def _write(self, encoded: bytes, noted: list[Carried]) -> None:
        waybill.write(self._folder, encoded)
        for path in filter(Path.exists, self._spoilt):
            path.replace(path.with_name(f"{path.name}.corrupt"))
        self._spoilt.clear()
        waybill.remove_unlisted(self._folder, self._bill.parcels)
        for one in noted:
            one.release()

    async def drop(self, excess: int) -> bool:
        """Give up the oldest rows, so that so many bytes less count; tell whether any were."""
        dropped = False
        for one in self._epochs:
            while excess > 0 and (freed := await one.drop_oldest()):
                excess -= freed
                dropped = True
        return dropped

    # --- for people ----------------------------------------------------------------------------

    @property
    def used(self) -> int:
        """Bytes of what waits."""
        return sum(one.used for one in self._epochs)

    @property
    def readings(self) -> int:
        """How many readings wait."""
        return sum(one.readings for one in self._epochs)

    @property
    def losses(self) -> int:
        """How many records of loss wait."""
        return sum(one.losses for one in self._epochs)

    def describe(self) -> list[dict[str, str | int]]:
        """Tell what waits of each epoch, for people."""
        return [
            {"epoch": one.epoch, "readings": one.readings, "losses": one.losses}
            for one in self._epochs
        ]
