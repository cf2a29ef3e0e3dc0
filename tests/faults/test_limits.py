"""A small gateway: little memory, a fifth of a processor, few files, and a million rows to send."""

import asyncio
import time
from pathlib import Path

import pytest

from edge_agent.buffer import Buffer
from edge_agent.clock import Clock
from edge_agent.config.model import BufferLimits
from tests.rigs.agent_process import agent, configure
from tests.rigs.counter_plc import connection, drain
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.limits import Limits, limited, why_not
from tests.rigs.site import site
from tests.rigs.until import until

MEMORY, FILES = 192 << 20, 256
RESIDENT_MB = 120
DRAIN_S = 600
LIVE_S = 5.0
LOG_LINES, LOG_SECONDS = 200, 30
HOUR = 3600
UNITS = 4


async def fill(folder: Path, rows: int) -> None:
    """Leave a buffer with so many rows of one reading, an hour old, of devices that are gone."""
    clock = Clock()
    buffer = await Buffer.open(BufferLimits(folder), clock)
    for number in range(rows):
        at, mono = clock.now() - HOUR * 1000, clock.mono() - HOUR
        body = b'{"p":"counter","v":%d}' % number
        buffer.append(f"past-{number % 50}", at, mono, 1, body)
        if number % 1000 == 999:
            await buffer.tick()
    await buffer.close()


@pytest.mark.skipif(why_not() != "", reason=why_not())
@sized(quick=(3_000, 0.5), full=(1_000_000, 0.2), thorough=True)
async def test_a_small_gateway_sends_its_backlog_and_stays_within_its_limits(tmp_path, size):  # noqa: PLR0915 - one story
    rows, share = size.amount
    await fill(tmp_path / "buffer", rows)
    fault = f"{rows:,} rows, 192 MB, {share:.0%} of a processor, {FILES} files"
    with judged(28, fault, full=size.full) as outcome:
        async with site(tmp_path) as (plc, between, arrivals, _), Watch() as watch:
            config = configure(between.port, connection(plc, units=UNITS, every="100ms"))
            with limited(Limits(MEMORY, share, FILES)) as wrapper:
                began = time.monotonic()
                async with agent(tmp_path, config, {}, wrapper=wrapper) as gateway:
                    watch.gateway = gateway
                    await until(lambda: arrivals.historical >= rows, DRAIN_S + 60, pause=0.05)
                    outcome.recovery_s = time.monotonic() - began
                    busy = processor_seconds(gateway.pid) / outcome.recovery_s
                    await drain(gateway, plc, seconds=30)
                    await until(lambda: arrivals.good >= rows + plc.count())
                    log = len(gateway.log)
        late = arrivals.oldest_live(0.0, 0.95)
        outcome.notes |= {
            "live p95 s": round(late, 2),
            "memory at most MB": round(watch.resident, 1),
            "files at most": watch.files,
            "of a processor": f"{busy:.0%}",
            "log lines": log,
        }
        outcome.judge(arrivals, served=rows + plc.count())
        outcome.assert_nothing_lost_silently()
        assert outcome.losses == 0
        assert outcome.recovery_s <= DRAIN_S
        assert late <= LIVE_S
        assert watch.resident <= RESIDENT_MB
        assert watch.files < FILES
        assert busy <= share * 1.1, "the limit held"
        assert log <= LOG_LINES * max(1, outcome.recovery_s / LOG_SECONDS)


def processor_seconds(pid: int) -> float:
    """Give the seconds of a processor that a process has used. Source: proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def open_files(pid: int) -> int:
    """Count the files that a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


class Watch:
    """Looks now and then at what an agent uses.

    Attributes:
        gateway: The agent, once it runs.
        resident: The most memory it had, in MB.
        files: The most files it had open.
    """

    def __init__(self) -> None:
        self.gateway = None
        self.resident, self.files = 0.0, 0

    async def __aenter__(self) -> "Watch":
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _look(self) -> None:
        while True:
            if self.gateway is not None:
                self.resident = max(self.resident, self.gateway.memory_mb("VmHWM"))
                self.files = max(self.files, open_files(self.gateway.pid))
            await asyncio.sleep(0.2)
