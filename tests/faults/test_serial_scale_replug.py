"""A scale's adapter is pulled out and put in again, mostly in the middle of a frame."""

import time
from pathlib import Path

import pytest
from edge_agent_serial import SerialAddress, SerialDriver, SerialSettings

from edge_agent.demo.machines import Scale
from edge_agent.demo.stream import frame
from edge_agent.driver import Why
from tests.rigs.instrument import PtyInstrument
from tests.rigs.polling import polling
from tests.rigs.until import until

BACK_WITHIN = 5.0  # seconds from plugging in to the first good reading
FRAME = frame(Scale(clock=6.0, load=5.74))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(
    "cycles", [2, pytest.param(100, marks=[pytest.mark.faults, pytest.mark.timeout(600)])]
)
async def test_weights_are_back_by_themselves_and_none_is_made_of_two_halves(
    tmp_path, monkeypatch, cycles
):
    monkeypatch.setattr("edge_agent_serial.port.RETRY_SECONDS", 0.1)
    name = tmp_path / "usb-FTDI_FT232R_A10K2X3Y-if00-port0"
    driver = SerialDriver(
        SerialSettings(
            transport="serial",
            port=str(name),
            recipe="mt-toledo-continuous",
            data_bits=8,
            parity="none",
            timeout="300ms",
        )
    )
    taken, files = [], set()
    async with polling(driver, every=0.05, scale=[SerialAddress(field="weight")]) as notes:
        for cycle in range(cycles):
            scale = PtyInstrument()
            name.symlink_to(scale.port)
            plugged = time.monotonic()
            at = cycle % len(FRAME)
            scale.stream(FRAME[at:] + FRAME + FRAME[:at], every=0.01)
            before = len(notes.kept)
            await until(lambda before=before: good(notes, before))
            taken.append(time.monotonic() - plugged)
            files.add(open_files())
            name.unlink()
            await scale.cut()
            await until(lambda: whys(notes) is Why.LINK_DOWN)
    values = {value for _, samples in notes.kept for value in samples.values}
    assert values <= {5.74, None}
    assert max(taken) <= BACK_WITHIN
    assert len(files) == 1, f"file descriptors grow: {sorted(files)}"
    print(f"{cycles} cycles, slowest {max(taken):.2f} s")  # the figure of the fault run


def good(notes, since):
    return any(not samples.flaws for _, samples in notes.kept[since:])


def whys(notes):
    flaws = notes.kept[-1][1].flaws
    return flaws[0].why if flaws else None
