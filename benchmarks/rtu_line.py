"""`python -m benchmarks rtu`: how near an RTU line comes to what the specification allows.

A pseudo-terminal is paced to the baud rate: a byte can be read when it would have arrived. The
device takes no time. Then the legal maximum is a request of 8 characters, an answer of 125 for 60
registers, and two silences of t3.5, with 11 bits a character. Source: MODBUS over Serial Line
V1.02, 2.5.1.1.

The figures are those of this machine at this moment: its own lateness is printed beside them.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings

from benchmarks.lateness import percentile
from benchmarks.table import Figures
from tests.rigs.modbus_device import Device, with_crc
from tests.rigs.serial_line import SerialLine

WANTED = {9600: 0.98, 19200: 0.98, 115200: 0.96}
REGISTERS = 60
CHARACTERS = 8 + 5 + 2 * REGISTERS
BITS = 11
LINES = 4
TICK = 0.01  # seconds between the wake-ups of one who shares the event loop
MOST_LATE = 5.0  # ms, the 99th percentile


def _line(folder: Path, number: int, baud: int) -> tuple[SerialLine, ModbusDriver]:
    device = Device()
    line = SerialLine(
        folder / f"tty{number}-{baud}",
        lambda frame: [(0, with_crc(frame[:1] + device.answer(frame[1:-2])))],
        baud,
    )
    settings = {"transport": "rtu", "port": str(line.path), "baud": baud, "stop_bits": 2}
    return line, ModbusDriver(ModbusSettings.model_validate(settings))


async def _poll(driver: ModbusDriver, until: float) -> list[float]:
    """Read again and again; give what each read took."""
    plan = driver.plan([ModbusAddress(offset=at) for at in range(REGISTERS)], {})
    await driver.open()
    await driver.read(plan)
    taken = []
    while (begin := time.perf_counter()) < until:
        await driver.read(plan)
        taken.append(time.perf_counter() - begin)
    await driver.close()
    return taken


async def _throughput(folder: Path, baud: int, seconds: float) -> tuple[float, float, int, int]:
    """Give the share of the legal maximum, that of the usual read, violations of t3.5, reads."""
    line, driver = _line(folder, 0, baud)
    line.plug()
    taken = await _poll(driver, time.perf_counter() + seconds)
    line.unplug()
    legal = CHARACTERS * BITS / baud + 2 * line.silence
    broken = sum(gap < line.silence for gap in line.gaps)
    return legal / statistics.mean(taken), legal / statistics.median(taken), broken, len(taken)


async def _ticks(seconds: float) -> list[float]:
    """Wake up at fixed instants; give how late each time, in ms, ascending."""
    late = []
    due = time.monotonic()
    end = due + seconds
    while due < end:
        due += TICK
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        late.append((time.monotonic() - due) * 1000)
    return sorted(late)


async def _lateness(folder: Path, baud: int, seconds: float) -> Sequence[float]:
    """Give how late others wake up while four lines are polled without a pause."""
    lines = [_line(folder, number, baud) for number in range(LINES)]
    for line, _ in lines:
        line.plug()
    until = time.perf_counter() + seconds
    late, *_ = await asyncio.gather(_ticks(seconds), *(_poll(driver, until) for _, driver in lines))
    for line, _ in lines:
        line.unplug()
    return late


async def measure(folder: Path, seconds: float, figures: Figures) -> None:
    """Measure each speed once, and how late others are meanwhile."""
    for baud, wanted in WANTED.items():
        share, usual, broken, reads = await _throughput(folder, baud, seconds)
        name = f"RTU, {baud} baud"
        figures.note(f"{name}: share of what is legal", 100 * share, "%", least=100 * wanted)
        figures.note(f"{name}: share of the usual read", 100 * usual, "%")
        figures.note(f"{name}: broken silences (t3.5)", broken, "", most=0, in_each=True)
        figures.note(f"{name}: reads", reads, "")
    alone = await _ticks(seconds)
    late = await _lateness(folder, 115200, seconds)
    name = f"lateness beside {LINES} lines of 115200 baud, p99"
    figures.note(name, percentile(late, 0.99), "ms", most=MOST_LATE)
    figures.note("the same with nothing else", percentile(alone, 0.99), "ms")


def lines(seconds: float, figures: Figures) -> None:
    """Measure all of it once, on lines of a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), seconds, figures))
