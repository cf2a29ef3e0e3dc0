"""Power cuts at any instant, by record and replay of the real buffer on a real ext4.

The agent runs, is killed, runs through an outage until its quota is full, stops cleanly, finds a
damaged page, and runs on; its disk notes all of it. Then the disk is rebuilt as it stood at many
instants, un-flushed sectors lost by chance, and the buffer must open on it, deliver what was
committed, and name the rest. Some instants are chosen from where most is at stake: starts after a
kill, salvages, checkpoints.
"""

import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from tests.rigs.damage import database_cut_in_the_middle_of_a_page, old_schema, overwrite
from tests.rigs.fault_report import Outcome, judged
from tests.rigs.fault_sizes import FULL_TIMEOUT
from tests.rigs.loop_disk import mounted, why_not
from tests.rigs.powercut import ANOTHER_VERSION, FLUSH, Cuts, Recording, Run, record
from tests.rigs.powercut_agent import READINGS
from tests.rigs.powercut_judge import Verdict, judge

pytestmark = pytest.mark.skipif(bool(why_not(fuse=True)), reason=why_not(fuse=True))

SURVIVAL = (0.0, 0.5, 1.0)  # what share of the un-flushed sectors is on the disk all the same
NAME, NAME_OF_3 = "power cut at any moment", "power cut during recovery, checkpoint, salvage"
SALVAGE, SALVAGE_OF_A_STUMP = "salvage", "salvage of a file that was cut off"
PHASES = ("first start", "recovery", "checkpoint", SALVAGE)
ALL_PHASES = (*PHASES, SALVAGE_OF_A_STUMP, ANOTHER_VERSION)


def overwrite_a_page(folder: Path) -> None:
    """Overwrite a page in the middle, as a worn card does."""
    path = folder / "buffer.db"
    overwrite(path, path.stat().st_size // 2048 * 1024, b"\xff" * 1024)


def runs(seconds: float) -> list[Run]:
    return [
        Run(seconds),
        Run(seconds, signal.SIGTERM, "outage", damage=(SALVAGE, overwrite_a_page)),
        Run(seconds),
    ]


def runs_through_all_phases() -> list[Run]:
    stump = SALVAGE_OF_A_STUMP, database_cut_in_the_middle_of_a_page
    return [
        *runs(2.0)[:2],
        Run(2.0, signal.SIGTERM, "outage", damage=stump),
        Run(2.0),
        Run(1.5, signal.SIGTERM, "outage", damage=(ANOTHER_VERSION, old_schema)),
        Run(1.0, mode="idle"),
    ]


@pytest.fixture
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("power-cut")


@pytest.mark.thorough
@pytest.mark.timeout(FULL_TIMEOUT)
async def test_some_power_cuts_lose_nothing_that_was_committed(home):
    recording = record(home, runs(0.8))
    chance = Random(24)
    with judged(1, NAME, full=False) as outcome:
        await cut_power(outcome, home, recording, recording.points(24, chance))
    with judged(3, NAME_OF_3, full=False) as outcome:
        await cut_phases(outcome, home, recording, chosen(recording, PHASES, 3, chance))


@pytest.mark.faults
@pytest.mark.timeout(FULL_TIMEOUT)
async def test_six_hundred_power_cuts_lose_nothing_that_was_committed(home):
    recording = record(home, runs(8.0))
    with judged(1, NAME) as outcome:
        await cut_power(outcome, home, recording, recording.points(600, Random(600)))


@pytest.mark.faults
@pytest.mark.timeout(FULL_TIMEOUT)
async def test_power_cuts_while_it_recovers_lose_nothing_either(home):
    recording = record(home, runs_through_all_phases())
    with judged(3, NAME_OF_3) as outcome:
        await cut_phases(outcome, home, recording, chosen(recording, ALL_PHASES, 25, Random(3)))


def chosen(
    recording: Recording, phases: Sequence[str], count: int, chance: Random
) -> dict[str, list[int]]:
    """Choose so many instants of each phase, different ones as far as there are so many."""
    found = {}
    for phase in phases:
        within = recording.points_within(phase)
        assert within, f"nothing was recorded of: {phase}"
        chance.shuffle(within)
        found[phase] = (within * count)[:count]
    return found


async def cut_phases(
    outcome: Outcome, home, recording: Recording, points: dict[str, list[int]]
) -> None:
    """Cut the power at these instants; a cut during a salvage costs no more than the damage."""
    every = sorted(point for some in points.values() for point in some)
    verdicts = await cut_power(outcome, home, recording, every)
    outcome.notes["cuts"] = {phase: len(some) for phase, some in points.items()}
    undisturbed = Cuts(recording, Random(0))
    for *_, phase in recording.journal.damages:
        if phase == ANOTHER_VERSION:
            continue
        before = recording.points_within(phase)[0]
        alone = await _start_after(home, recording, before, undisturbed.at(before, 1.0))
        assert alone.wrong == []
        assert alone.corrupt, f"{phase}: the damage cost nothing, so nothing is shown"
        for point in points[phase]:
            assert all(one.corrupt <= alone.corrupt for one in verdicts[point])


async def cut_power(
    outcome: Outcome, home, recording: Recording, points: Sequence[int]
) -> dict[int, list[Verdict]]:
    """Cut the power at these instants, ascending; give what each cost."""
    cuts = Cuts(recording, Random(len(points)))
    verdicts, wrong = [], []
    for number, point in enumerate(points):
        survival = SURVIVAL[number % len(SURVIVAL)]
        verdict = await _start_after(home, recording, point, cuts.at(point, survival))
        verdicts.append(verdict)
        wrong += [f"after event {point}, survival {survival}: {one}" for one in verdict.wrong]
    _note(outcome, recording, verdicts)
    assert wrong == []
    assert outcome.missing == outcome.disorder == 0
    assert outcome.delivered == outcome.produced - outcome.named
    assert max(one.oldest for one in verdicts) <= FLUSH + recording.journal.late / 1e9
    _judge_the_rig(recording, verdicts)
    found: dict[int, list[Verdict]] = {}
    for point, verdict in zip(points, verdicts, strict=True):
        found.setdefault(point, []).append(verdict)
    return found


def _note(outcome: Outcome, recording: Recording, verdicts: list[Verdict]) -> None:
    outcome.produced = READINGS * sum(one.waiting for one in verdicts)
    outcome.delivered = READINGS * sum(one.delivered for one in verdicts)
    outcome.missing = sum(one.silent for one in verdicts)
    named = sum(one.waiting - one.delivered - one.silent for one in verdicts)
    outcome.named = READINGS * named
    outcome.losses = sum(one.losses for one in verdicts)
    outcome.duplicates = sum(one.again for one in verdicts)
    outcome.disorder = sum(one.overtaken for one in verdicts)
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
