"""Power cuts at any instant, by record and replay of the real buffer on a real ext4.

The agent runs, is killed, runs through an outage until its quota is full, stops cleanly, finds a
damaged page, and runs on; its disk notes all of it. Then the disk is rebuilt as it stood at many
instants, un-flushed sectors lost by chance, and the buffer must open on it, deliver what was
committed, and name the rest.
"""

import random
import signal
from collections import Counter

import pytest

from tests.rigs.fault_report import Outcome, judged
from tests.rigs.loop_disk import mounted, why_not
from tests.rigs.powercut import FLUSH, Cuts, Recording, Run, record
from tests.rigs.powercut_judge import Verdict, judge

pytestmark = pytest.mark.skipif(bool(why_not(fuse=True)), reason=why_not(fuse=True))

SURVIVAL = (0.0, 0.5, 1.0)  # what share of the un-flushed sectors is on the disk all the same
NAME = "power cut at any moment"


def runs(seconds: float) -> list[Run]:
    return [
        Run(seconds),
        Run(seconds, signal.SIGTERM, broker=False, damage=True),
        Run(seconds),
    ]


@pytest.fixture
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("power-cut")


async def test_forty_power_cuts_lose_nothing_that_was_committed(home):
    with judged(1, NAME) as outcome:
        await cut_power(outcome, home, record(home, runs(1.1)), 40)


@pytest.mark.faults
@pytest.mark.timeout(600)
async def test_six_hundred_power_cuts_lose_nothing_that_was_committed(home):
    with judged(1, NAME, full=True) as outcome:
        await cut_power(outcome, home, record(home, runs(8.0)), 600)


async def cut_power(outcome: Outcome, home, recording: Recording, count: int) -> None:
    chance = random.Random(count)
    cuts = Cuts(recording, chance)
    verdicts, wrong = [], []
    for point in recording.points(count, chance):
        survival = chance.choice(SURVIVAL)
        verdict = await _start_after(home, recording, point, cuts.at(point, survival))
        verdicts.append(verdict)
        wrong += [f"after event {point}, survival {survival}: {one}" for one in verdict.wrong]
    _note(outcome, recording, verdicts)
    assert wrong == []
    assert max(one.oldest for one in verdicts) <= FLUSH + recording.journal.late / 1e9
    _judge_the_rig(recording, verdicts)


def _note(outcome: Outcome, recording: Recording, verdicts: list[Verdict]) -> None:
    outcome.delivered = sum(one.delivered for one in verdicts)
    outcome.recovery_s = max(one.ready for one in verdicts)
    outcome.notes = {
        "cuts": len(verdicts),
        "committed rows": sum(one.committed for one in verdicts),
        "writes and flushes": len(recording.events),
        "oldest reading lost, s": round(max(one.oldest for one in verdicts), 3),
        "flush, s": FLUSH,
        "records of loss before": dict(Counter(why for *_, why in recording.journal.named)),
        "broken promises": sum(len(one.wrong) for one in verdicts),
    }


async def _start_after(home, recording: Recording, point: int, disk: bytes) -> Verdict:
    image = home / "cut.img"
    image.write_bytes(disk)
    with mounted(image, home / "cut") as folder:
        # right before the next event is the hardest moment: the most was promised by then
        return await judge(folder / "buffer", recording.journal, recording.events[point + 1][1])


def _judge_the_rig(recording: Recording, verdicts: list[Verdict]) -> None:
    """A rig that records nothing would find nothing."""
    kinds = Counter(kind for kind, *_ in recording.events)
    assert min(kinds[b"W"], kinds[b"F"]) > 20
    assert any(one.exposed for one in verdicts), "no cut came while readings were in memory only"
    assert sum(one.committed for one in verdicts) > 10 * len(verdicts)
