"""Starts the real buffer on a disk after a power cut, and compares with the journal of before."""

import asyncio
import sqlite3
import time
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from edge_agent.buffer import Buffer
from edge_agent.clock import Clock
from edge_agent.config.model import BufferLimits
from edge_agent.lanes import Item
from edge_agent.row import Loss, Row
from tests.rigs.powercut import ANOTHER_VERSION, FLUSH, MAX_BYTES, Journal, Made

READY_SECONDS = 10.0  # the promise: the agent is ready by then, without a human
DRAIN_SECONDS = 20.0

Named = tuple[int | None, int | None, int | None, str]  # first, last, readings, why


class NextBoot(Clock):
    """The clock after the power came back: another boot."""

    def __init__(self) -> None:
        super().__init__()
        self.boot = "after-the-cut"


@dataclass
class Verdict:
    """What one power cut cost.

    Attributes:
        wrong: Everything that breaks the promise, one sentence each.
        committed: Rows a commit had returned for and the broker did not have.
        waiting: Rows that were made and that the broker did not have.
        delivered: Those of them that came after the cut.
        again: Rows that came although the broker had them, and rows that came twice.
        overtaken: Rows of which a later one had come before, within a device and lane.
        losses: Records of loss that came after the cut.
        silent: Rows of which nothing says what became of them.
        exposed: Rows that are gone, all named by the record of the power cut.
        corrupt: Numbers of rows that are gone, named because the database was damaged.
        oldest: Seconds that the oldest of these was old at the cut.
        ready: Seconds that the buffer took to open.
    """

    wrong: list[str] = field(default_factory=list)
    committed: int = 0
    waiting: int = 0
    delivered: int = 0
    again: int = 0
    overtaken: int = 0
    losses: int = 0
    silent: int = 0
    exposed: int = 0
    corrupt: set[int] = field(default_factory=set)
    oldest: float = 0.0
    ready: float = 0.0


async def judge(folder: Path, journal: Journal, cut: int) -> Verdict:
    """Start the buffer in this folder, drain it, and account for every row made before the cut.

    Args:
        folder: The buffer's folder as the cut left it.
        journal: What was true before.
        cut: The instant of the cut, ns on the steady clock.
    """
    verdict, clock, began = Verdict(), NextBoot(), time.monotonic()
    buffer = await _open(folder, clock)
    verdict.ready = time.monotonic() - began
    buffer.append("press", clock.now(), clock.mono(), 1, b"new")
    new = buffer.epoch, buffer.last_seq
    items = await _drain(buffer)
    await buffer.close()
    made = {seq: row for seq, row in journal.rows.items() if row.at <= cut}
    if not _is_damaged(journal, cut):
        verdict.wrong += _wrong_files(folder)
    verdict.wrong += _wrong_numbers(new, made, journal, cut)
    _account(verdict, items, made, journal, cut)
    verdict.overtaken = _overtaken(items)
    if verdict.ready > READY_SECONDS:
        verdict.wrong.append(f"it took {verdict.ready:.1f} s to open")
    verdict.wrong += await _wrong_again(folder, clock, buffer.epoch)
    return verdict


async def _wrong_again(folder: Path, clock: Clock, epoch: str) -> list[str]:
    """Start once more: all that had to be done is done, and not done again."""
    buffer = await _open(folder, clock)
    wrong = [] if buffer.epoch == epoch else ["the next start begins another epoch"]
    wrong += [f"{buffer.losses} records again"] if buffer.losses else []
    wrong += [f"{buffer.waiting} readings again"] if buffer.waiting else []
    await buffer.close()
    return wrong


async def _open(folder: Path, clock: Clock) -> Buffer:
    return await Buffer.open(BufferLimits(folder, max_bytes=MAX_BYTES, flush=FLUSH), clock)


async def _drain(buffer: Buffer) -> list[Item]:
    items: list[Item] = []
    async with asyncio.timeout(DRAIN_SECONDS):
        while buffer.waiting or buffer.losses:
            await buffer.tick()
            while item := buffer.next():
                buffer.ack(item)
                items.append(item)
    return items


def _is_damaged(journal: Journal, cut: int) -> bool:
    return any(began <= cut for began, *_ in journal.damages)


def _is_foreign(journal: Journal, cut: int) -> bool:
    """Tell whether the database is one of another version: it is set aside, by name, as a whole."""
    return any(began <= cut and name == ANOTHER_VERSION for began, _, name in journal.damages)


def _wrong_files(folder: Path) -> list[str]:
    db = sqlite3.connect(folder / "buffer.db")
    said = db.execute("PRAGMA integrity_check").fetchone()[0]
    db.close()
    wrong = [] if said == "ok" else [f"integrity: {said}"]
    set_aside = [path.name for path in folder.glob("*.corrupt-*")]
    return wrong + ([f"{set_aside} set aside"] if set_aside else [])


def _wrong_numbers(
    new: tuple[str, int], made: dict[int, Made], journal: Journal, cut: int
) -> list[str]:
    epoch, seq = new
    if _is_foreign(journal, cut):
        goes_on = epoch == journal.epochs[0][1] and cut > journal.damages[-1][1]
        return ["the epoch of the other version goes on"] if goes_on else []
    known = [name for at, name in journal.epochs if at <= cut]
    wrong = [] if epoch in known[-1:] or not known else [f"epoch {epoch} instead of {known}"]
    return wrong + ([f"number {seq} is used again"] if seq <= max(made, default=0) else [])


def _account(
    verdict: Verdict, items: list[Item], made: dict[int, Made], journal: Journal, cut: int
) -> None:
    old = [item for item in items if isinstance(item, Row) and item.body != b"new"]
    rows = {item.seq: item.body for item in old}
    losses: list[Named] = [
        (item.first, item.last, item.readings, item.why) for item in items if isinstance(item, Loss)
    ]
    verdict.losses = len(losses)
    losses += [(*loss, why) for at, *loss, why in journal.named if at <= cut]
    verdict.wrong += _wrong_rows(rows, made)
    verdict.wrong += _wrong_records(items, losses, is_damaged=_is_damaged(journal, cut))
    settled = {seq for seq, row in made.items() if row.done is not None and row.done <= cut}
    exact = [loss for loss in losses if loss[3] != "power_cut"]
    cuts = [loss for loss in losses if loss[3] == "power_cut"]
    verdict.waiting = len(made.keys() - settled)
    verdict.delivered = len(rows.keys() - settled)
    verdict.again = len(old) - verdict.delivered
    for seq in made.keys() - rows.keys() - settled:
        _judge_missing(verdict, seq, made[seq], (exact, cuts), _end(journal, made[seq], cut))
    verdict.committed = sum(
        row.saved is not None and row.saved <= cut
        for seq, row in made.items()
        if seq not in settled
    )


def _overtaken(items: list[Item]) -> int:
    lanes: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for item in items:
        if isinstance(item, Row):
            lanes[item.device, item.historical].append(item.seq)
    return sum(after < before for lane in lanes.values() for before, after in pairwise(lane))


def _end(journal: Journal, row: Made, cut: int) -> int:
    """Give when the process ended that made it: killed earlier, or by the cut."""
    return min(cut, journal.ends[row.run])


def _wrong_rows(rows: dict[int, bytes], made: dict[int, Made]) -> list[str]:
    return [
        f"row {seq} is not what was made"
        for seq, body in rows.items()
        if seq not in made or zlib.crc32(body) != made[seq].check
    ]


def _wrong_records(items: list[Item], losses: list[Named], *, is_damaged: bool) -> list[str]:
    wrong = [f"a record without need: {loss}" for loss in losses if loss[3] == "corrupt"]
    unbounded = [
        f"a power cut exposes {item.exposed_ms} ms"
        for item in items
        if isinstance(item, Loss) and item.why == "power_cut" and item.exposed_ms != FLUSH * 1000
    ]
    return unbounded + ([] if is_damaged else wrong)


def _is_named(seq: int, losses: list[Named]) -> bool:
    """Tell whether a record names this number; an unknown start is the beginning."""
    return any((first or 1) <= seq <= (last or 0) for first, last, *_ in losses)


def _judge_missing(
    verdict: Verdict, seq: int, row: Made, named: tuple[list[Named], list[Named]], end: int
) -> None:
    """Judge a row that the broker never had and that did not come after the cut either."""
    exact, cuts = named
    if _is_named(seq, exact):
        if _is_named(seq, [loss for loss in exact if loss[3] == "corrupt"]):
            verdict.corrupt.add(seq)
        return
    if not _is_named(seq, cuts):
        verdict.silent += 1
        verdict.wrong.append(f"row {seq} is lost silently")
        return
    if row.saved is not None and row.saved <= end:
        verdict.wrong.append(f"row {seq} was committed and is lost")
    verdict.exposed += 1
    verdict.oldest = max(verdict.oldest, (end - row.at) / 1e9)
