"""`edge-agent buffer import` is killed at any moment: all of the parcel is there, or nothing."""

import asyncio
import json
import os
import random
import sys
import time

from tests.rigs.cards import GATEWAY, Card
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.hand_clock import HandClock

SEGMENTS = 40
WHOLE = 1.5  # seconds that an import takes at most, its start included


def configure(folder):
    """Write the configuration of the new card."""
    file = folder / "agent.yaml"
    config = {
        "version": 1,
        "agent": {"id": GATEWAY.id, "site": GATEWAY.site},
        "mqtt": {"url": "mqtt://127.0.0.1"},
        "buffer": {"path": str(folder / "new")},
        "connections": [],
    }
    file.write_text(json.dumps(config))
    return file


async def import_and_kill(parcel, file, seconds):
    """Begin an import, and end it without a warning after so long."""
    words = ("-m", "edge_agent", "buffer", "import", parcel, "-c", file)
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=-3, stderr=-3)
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def carried(card):
    """Deliver what is on a card; give the numbers of what came from the other one."""
    return [item.seq for item in card.deliver() if item.epoch]


# Its short form, at every write in turn, is in tests/test_carrying.py.
@sized(full=40)
def test_an_import_that_is_killed_leaves_all_or_nothing(tmp_path, size):
    chance = random.Random(8)
    with judged(31, f"{size.amount} times SIGKILL while importing", full=size.full) as outcome:
        old = Card(tmp_path / "old", HandClock())
        old.fill(*[os.urandom(100_000) for _ in range(SEGMENTS)])
        old.export(tmp_path / "x.parcel")
        whole, took = 0, []
        for turn in range(size.amount):
            folder = tmp_path / f"turn-{turn}"
            folder.mkdir()
            file, new = configure(folder), Card(folder / "new", HandClock())
            kill_after = chance.uniform(0.3, WHOLE)
            asyncio.run(import_and_kill(tmp_path / "x.parcel", file, kill_after))
            before = carried(new)
            assert len(before) in {0, SEGMENTS}
            again = time.monotonic()
            new.take_in(tmp_path / "x.parcel")
            took.append(time.monotonic() - again)
            after = carried(new)
            assert len(before + after) == SEGMENTS
            outcome.tally(range(1, SEGMENTS + 1), before, after, lost=[])
            whole += len(before) == SEGMENTS
        outcome.recovery_s = max(took)
        outcome.notes |= {"all there": whole, "nothing there": size.amount - whole}
        assert outcome.missing == outcome.duplicates == outcome.disorder == 0
        assert 0 < whole < size.amount
