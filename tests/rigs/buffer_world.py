"""A real buffer on a real disk, a model of what it must do, and every way to disturb it.

The model is a list: everything that was appended, what became of it, and what records of loss
named. `settle` plays on until nothing is left to send, then `judge` compares.
"""

import asyncio
import random
import shutil
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from edge_agent.buffer import Buffer
from edge_agent.config.model import BufferLimits
from edge_agent.errors import BufferUnavailable
from edge_agent.row import Loss, Row
from tests.rigs.hand_clock import HandClock

FLUSH = 1.0
LIVE_SECONDS = 10.0  # the contract: what is sent later is historical
FAST_DISK = Path("/dev/shm")  # thousands of small commits  # noqa: S108


@dataclass
class Made:
    """One row of the model.

    Attributes:
        at: When it was made, on the steady clock of that boot, seconds.
        run: In which run of the agent.
        handed: Whether it was ever handed out.
        acked: Whether the broker acknowledged it.
        refused: Whether the broker refused it for good.
        done_in: The run in which either happened; 0 once a clean stop has made it last.
    """

    seq: int
    device: str
    at: float
    run: int
    readings: int
    body: bytes
    handed: bool = False
    acked: bool = False
    refused: bool = False
    done_in: int | None = None


@dataclass
class Named:
    """A record of loss as the broker got it."""

    first: int
    last: int
    readings: int | None
    why: str
    oldest: int | None
    newest: int | None
    exposed_ms: int | None


@dataclass
class World:
    """The buffer under test beside its model; every method is one thing that can happen."""

    max_bytes: int = 1 << 30
    max_age: float = 1e9
    rows: dict[int, Made] = field(default_factory=dict)
    records: dict[int, Named] = field(default_factory=dict)
    flying: list[Row | Loss] = field(default_factory=list)
    last_handed: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    exposed: set[int] = field(default_factory=set)
    unbounded: bool = False
    run: int = 1
    full: bool = False
    crashes: int = 0

    def __post_init__(self) -> None:
        self.clock = HandClock()
        self.home = Path(tempfile.mkdtemp(dir=FAST_DISK if FAST_DISK.is_dir() else None))
        self.folder = self.home / "run-1"
        self.loop = asyncio.new_event_loop()
        self.buffer = self.do(Buffer.open(self.limits, self.clock))
        self.epoch = self.buffer.epoch

    @property
    def limits(self) -> BufferLimits:
        return BufferLimits(self.folder, self.max_bytes, self.max_age, FLUSH)

    def do(self, work):
        return self.loop.run_until_complete(work)

    # --- what can happen -----------------------------------------------------------------------

    def append(self, device: str, readings: int, size: int) -> None:
        body = random.Random(self.buffer.last_seq).randbytes(size)
        clock = self.clock
        try:
            self.buffer.append(device, clock.now(), clock.mono(), readings, body)
        except BufferUnavailable:
            assert self.full
            return
        seq = self.buffer.last_seq
        assert seq not in self.rows, "a number was used twice"
        assert seq not in self.records, "a number was used twice"
        self.rows[seq] = Made(seq, device, clock.mono(), self.run, readings, body)

    def take(self, count: int) -> int:
        """Hand out up to this many; tell how many there were."""
        for taken in range(count):
            item = self.buffer.next()
            if item is None:
                return taken
            assert all(item is not other and item.seq != other.seq for other in self.flying)
            if isinstance(item, Row):
                self._check_row(item)
            self.flying.append(item)
        return count

    def ack(self, index: int) -> None:
        item = self.flying.pop(index % len(self.flying))
        self.buffer.ack(item)
        if isinstance(item, Row):
            self.rows[item.seq].acked = True
            self.rows[item.seq].done_in = self.run
        else:
            self._note_record(item)

    def refuse(self, index: int) -> None:
        item = self.flying[index % len(self.flying)]
        self.buffer.refuse(item)
        if isinstance(item, Row):
            self.flying.remove(item)
            self.rows[item.seq].refused = True
            self.rows[item.seq].done_in = self.run

    def cut_connection(self) -> None:
        self.flying.clear()
        self.buffer.give_back()

    def pass_time(self, seconds: float) -> None:
        """Let time pass as `Buffer.run` sees it: a tick every quarter of `flush`."""
        end = self.clock.passed + seconds
        ticks = 0
        while self.clock.passed < end:
            step = FLUSH / 4 if ticks < 8 else FLUSH * 2  # nothing new comes, so few are enough
            ticks += 1
            self.clock.advance(min(step, end - self.clock.passed))
            self.do(self.buffer.tick())
            self.unbounded = self.full
            assert bool(self.buffer.trouble) <= self.full, self.buffer.trouble

    def stall(self, seconds: float) -> None:
        """Let time pass without a tick, as when something holds up the event loop."""
        self.clock.advance(seconds)
        self.unbounded = True

    def fill_disk(self) -> None:
        """Let the database grow no further."""
        db = self.buffer._disk._store._db
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count={pages}")
        self.full = True

    def free_disk(self) -> None:
        self.buffer._disk._store._db.execute("PRAGMA max_page_count=1073741823")
        self.full = False

    def stop(self, away: float, *, reboot: bool) -> None:
        """Stop cleanly and start again."""
        if self.full:
            self.free_disk()
        last = self.buffer.last_seq
        self.do(self.buffer.close())
        self._done_rows_become(0)
        self._start_again(away, reboot=reboot)
        assert self.buffer.last_seq == last, "a clean stop skips no number"

    def crash(self, away: float, *, reboot: bool) -> None:
        """Kill the agent: only what it wrote is there for the next one."""
        self._note_exposed()
        self._done_rows_become(None)
        self.crashes += 1
        fresh = self.home / f"run-{self.run + 1}"
        shutil.copytree(self.folder, fresh, ignore=shutil.ignore_patterns("*-shm"))
        self.do(discard(self.buffer))
        shutil.rmtree(self.folder)
        self.folder = fresh
        last = self.buffer.last_seq
        self._start_again(away, reboot=reboot)
        assert self.buffer.last_seq >= last, "no number is used again"

    def _done_rows_become(self, done_in: int | None) -> None:
        for row in self.rows.values():
            if row.done_in == self.run:
                row.done_in = done_in

    def _note_exposed(self) -> None:
        for row in self.rows.values():
            exposed = self.unbounded or self.clock.mono() - row.at <= FLUSH
            if row.run == self.run and exposed and not row.acked:
                self.exposed.add(row.seq)

    def _start_again(self, away: float, *, reboot: bool) -> None:
        self.flying.clear()
        self.full = self.unbounded = False
        self.run += 1
        if reboot:
            self.clock.reboot(away)
        else:
            self.clock.advance(away)
        self.buffer = self.do(Buffer.open(self.limits, self.clock))
        assert self.buffer.epoch == self.epoch

    # --- what must be so at once ---------------------------------------------------------------

    def _check_row(self, item: Row) -> None:
        row = self.rows[item.seq]
        assert (row.device, row.body, row.readings) == (item.device, item.body, item.readings)
        assert row.done_in not in {0, self.run}, "sent again although it was done"
        historical = self.buffer.is_historical(item)
        assert historical is item.historical, "the lane says what the flag says"
        if row.run == self.run:
            assert historical is (self.clock.mono() - row.at > LIVE_SECONDS)
        else:
            assert historical
        if historical:
            assert not self._waits_live(), "live rows go first"
        self._check_order(row, historical=historical)

    def _waits_live(self) -> list[int]:
        """Give what this run made lately and neither sent nor named as lost."""
        flying = {item.seq for item in self.flying}
        young = [
            row.seq
            for row in self.rows.values()
            if row.run == self.run
            and self.clock.mono() - row.at <= LIVE_SECONDS
            and not (row.acked or row.refused or row.seq in flying)
        ]
        named = self.buffer._lanes.ledger._open.values()
        return [
            seq for seq in young if not any((one.first or 0) <= seq <= one.last for one in named)
        ]

    def _check_order(self, row: Made, *, historical: bool) -> None:
        lane = (row.device, "historical" if historical else "live")
        if not row.handed:
            assert row.seq > self.last_handed[lane], f"disorder among {lane}"
            self.last_handed[lane] = row.seq
            row.handed = True

    def _note_record(self, item: Loss) -> None:
        said = item.payload(self.epoch)
        assert item.lost_epoch == self.epoch
        self.records[item.seq] = Named(
            said["first"], said["last"], said["readings"], said["why"],
            said["from"], said["to"], said["exposed_ms"],
        )  # fmt: skip

    # --- the end -------------------------------------------------------------------------------

    def settle(self) -> None:
        """Play on with a healthy broker and disk until nothing waits any more."""
        if self.full:
            self.free_disk()
        self.cut_connection()
        idle = 0
        while idle < 3:  # rows read back within a boot wait until they are 10 s old
            self.pass_time(4.0)
            idle = 0 if self.take(1000) else idle + 1
            while self.flying:
                self.ack(0)
        assert self.buffer.waiting == self.buffer.losses == 0
        assert self.buffer._lanes._memory == 0

    def judge(self) -> None:
        """Compare with the model: every number is accounted for, and every loss is named."""
        named = defaultdict(set)
        for record in self.records.values():
            named[record.why].update(range(record.first, record.last + 1))
        anywhere = set().union(*named.values())
        numbers = set(range(1, self.buffer.last_seq + 1))
        arrived = {row.seq for row in self.rows.values() if row.acked} | set(self.records)
        assert numbers <= arrived | anywhere, "a number is neither here nor named"
        for row in self.rows.values():
            if not row.acked and row.seq not in named["power_cut"] - self._counted(named):
                assert row.seq in self._counted(named), row
        if not self.crashes:
            self._judge_counts()
        lost_to_cuts = {
            row.seq
            for row in self.rows.values()
            if not row.acked and row.seq not in self._counted(named)
        }
        assert lost_to_cuts <= self.exposed, "more is missing than was exposed"

    @staticmethod
    def _counted(named: dict[str, set[int]]) -> set[int]:
        return named["capacity"] | named["age"] | named["refused"] | named["corrupt"]

    def _judge_counts(self) -> None:
        produced = sum(row.readings for row in self.rows.values())
        delivered = sum(row.readings for row in self.rows.values() if row.acked)
        lost = sum(record.readings or 0 for record in self.records.values())
        assert produced == delivered + lost

    def close(self) -> None:
        self.do(self.buffer.close())
        self.loop.close()
        shutil.rmtree(self.home)


async def discard(buffer: Buffer) -> None:
    """Free what a killed process would have left to the kernel."""
    await buffer._disk._run(buffer._disk._store.close)
    buffer._disk._thread.shutdown()
