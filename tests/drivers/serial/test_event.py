"""A scan is one reading: none twice, none left out, whatever the agent does meanwhile."""

import asyncio
import contextlib
import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from edge_agent_serial import SerialAddress, SerialDriver, SerialSettings, costs, inbox

from edge_agent.driver import ConnectionLost, NoResponse, WatchGroup, Why
from edge_agent.testing import Rig, WatchingContract
from tests.rigs.instrument import PtyInstrument
from tests.rigs.polling import polling
from tests.rigs.until import until

SCANNER = str(Path(__file__).parent / "recipes" / "scanner.yaml")
CODE = SerialAddress(field="code", type="text")


@pytest.fixture
async def scanner():
    scanner = PtyInstrument()
    yield scanner
    await scanner.cut()


@pytest.fixture
async def driver(scanner):
    driver = SerialDriver(
        SerialSettings(transport="serial", port=scanner.port, recipe=SCANNER, timeout="200ms")
    )
    await driver.open()
    scanner.send(b"\r")  # ends what may have begun before
    await until(lambda: driver._inbox.received == 1)
    yield driver
    await driver.close()


async def watch(driver, *addresses):
    """Watch, and take what comes first."""
    await driver.watch([WatchGroup(driver.plan(addresses or (CODE,), {}), 1.0, {})])
    (first,) = await driver.changes()
    return list(first.samples)


async def scans(driver, count):
    """Give the values and flaws of so many events."""
    found = []
    while len(found) < count:
        for change in await asyncio.wait_for(driver.changes(), 30):
            assert change.group == 0
            found += [(s.value, s.flaw and s.flaw.why) for s in change.samples]
    return found


async def test_nothing_has_happened_at_first(driver):
    (sample,) = await watch(driver)
    assert (sample.value, sample.flaw.why) == (None, Why.STARTING)


async def test_the_first_scan_counts_where_the_line_was_silent_before_it(scanner, monkeypatch):
    monkeypatch.setattr(inbox, "QUIET", 0.05)
    driver = SerialDriver(SerialSettings(transport="serial", port=scanner.port, recipe=SCANNER))
    await driver.open()
    await watch(driver)
    await asyncio.sleep(0.1)
    scanner.send(b"FIRST\r")
    assert await scans(driver, 1) == [("FIRST", None)]
    await driver.close()


async def test_a_scan_that_may_have_begun_before_we_listened_does_not_count(scanner):
    driver = SerialDriver(SerialSettings(transport="serial", port=scanner.port, recipe=SCANNER))
    await driver.open()
    await watch(driver)
    scanner.send(b"ALF\rWHOLE\r")
    assert await scans(driver, 1) == [("WHOLE", None)]
    await driver.close()


async def test_who_tests_a_reader_is_told_to_scan_meanwhile(driver):
    plan = driver.plan([CODE], {})
    assert (plan.action, plan.wait, plan.patience) == ("scan or measure", 15.0, 16.0)
    with pytest.raises(NoResponse, match=r"nothing came for 0.2 s: .* scan or measure while"):
        await driver.read(replace(plan, wait=0.2))


async def test_each_scan_is_one_reading_in_order(driver, scanner):
    await watch(driver)
    codes = [f"4006381{number:06}" for number in range(40)]
    scanner.send("".join(f"{code}\r" for code in codes).encode())
    assert await scans(driver, 40) == [(code, None) for code in codes]


async def test_what_is_scanned_between_two_calls_is_kept(driver, scanner):
    await watch(driver)
    waiting = asyncio.ensure_future(driver.changes())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    scanner.send(b"A\rB\r")
    await until(lambda: driver._inbox.count == 2)
    assert await scans(driver, 2) == [("A", None), ("B", None)]


async def test_a_trigger_held_too_long_is_one_scan(driver, scanner):
    await watch(driver)
    scanner.send(b"A\rA\rA\rB\rA\r")
    assert await scans(driver, 3) == [("A", None), ("B", None), ("A", None)]
    assert driver.evidence["repeated"] == 2


async def test_the_same_code_later_is_another_scan(driver, scanner, monkeypatch):
    await watch(driver)
    monkeypatch.setattr(driver._events, "_same_within", 0.05)
    scanner.send(b"A\r")
    assert await scans(driver, 1) == [("A", None)]
    await asyncio.sleep(0.06)
    scanner.send(b"A\r")
    assert await scans(driver, 1) == [("A", None)]


async def test_a_failed_scan_is_no_value(driver, scanner):
    await watch(driver)
    scanner.send(b"NOREAD\r")
    assert await scans(driver, 1) == [(None, Why.NO_VALUE)]


async def test_a_field_that_does_not_exist_is_refused_at_once(driver):
    good, refused = await watch(driver, CODE, SerialAddress(field="cod"))
    assert good.flaw.why is Why.STARTING
    assert refused.flaw.why is Why.REFUSED
    assert "did you mean code?" in refused.flaw.detail


async def test_scans_before_the_cable_is_pulled_are_given_first(driver, scanner):
    await watch(driver)
    scanner.send(b"A\r")
    await until(lambda: driver._inbox.count == 1)
    await scanner.cut()
    assert await scans(driver, 1) == [("A", None)]
    with pytest.raises(ConnectionLost, match="is lost"):
        await asyncio.wait_for(driver.changes(), 30)


async def test_a_scan_can_be_waited_for(driver, scanner):
    plan = replace(driver.plan([CODE], {}), wait=0.2)
    reading = asyncio.ensure_future(driver.read(plan))
    await asyncio.sleep(0.01)
    scanner.send(b"A\r")
    assert (await reading).values == ["A"]
    with pytest.raises(NoResponse):
        await driver.read(plan)


class Scanning:
    """Somebody who scans one code after the other."""

    def __init__(self, scanner):
        self._scanner, self._numbers = scanner, itertools.count(1)

    def __call__(self):
        code = f"CODE-{next(self._numbers)}"
        self._scanner.send(f"\r{code}\r".encode())
        return code

    async def often(self):
        while True:
            self()
            await asyncio.sleep(0.02)


class TestEvents(WatchingContract):
    @pytest.fixture
    async def rig(self, scanner, monkeypatch):
        monkeypatch.setattr(costs, "EVENT_WAIT", 0.2)
        driver = SerialDriver(
            SerialSettings(transport="serial", port=scanner.port, recipe=SCANNER, timeout="200ms")
        )
        scan = Scanning(scanner)
        scanning = asyncio.ensure_future(scan.often())

        async def silence():
            scanning.cancel()
            await asyncio.gather(scanning, return_exceptions=True)
            with contextlib.suppress(NoResponse):
                await driver.read(driver.plan([CODE], {}))

        async def cut():
            scanning.cancel()
            await scanner.cut()

        async def change():
            scanning.cancel()
            return scan()

        good = [CODE, SerialAddress(field="code")]
        yield Rig(driver, good, cut, SerialAddress(field="cod"), silence, change=change)
        await driver.close()
        await cut()

    async def test_every_present_value_is_reported_first(self, rig):
        """There is none: what happens is reported, and that nothing has happened comes first."""
        async with self._watching(rig, rig.good) as listener:
            await listener.until(lambda heard: len(heard.get((0, 1), ())) >= 2)
        for first, second, *_ in listener.heard.values():
            assert first.flaw.why is Why.STARTING
            assert second.value.startswith("CODE-")

    async def test_what_cannot_be_watched_is_bad_and_spoils_no_other(self, rig):
        async with self._watching(rig, [rig.good[0], rig.refused, rig.good[1]]) as listener:
            await listener.until(lambda heard: len(heard.get((0, 2), ())) >= 2)
        assert [len(listener.heard[0, at]) >= 2 for at in range(3)] == [True, False, True]
        assert listener.heard[0, 1][0].flaw.why is Why.REFUSED


TOLEDO = "02 2C {:02X} 20 {} 30 30 30 30 30 30 0D"


def weight(kilograms, *, moving=False):
    """Write a frame of the continuous output with two decimals."""
    digits = f"{round(kilograms * 100):06}".encode().hex(" ")
    return bytes.fromhex(TOLEDO.format(0x38 if moving else 0x30, digits))


async def test_each_weighing_is_one_reading(scanner):
    driver = SerialDriver(
        SerialSettings(
            transport="serial",
            port=scanner.port,
            recipe="mt-toledo-continuous",
            data_bits=8,
            parity="none",
            only="weighings",
            zero=0.05,
        )
    )
    await driver.open()
    try:
        fields = (SerialAddress(field="weight"), SerialAddress(field="unit"))
        await watch(driver, *fields)
        for box in (1.2, 3.4):
            frames = [weight(0), weight(0.04), weight(box / 2, moving=True)]
            frames += [weight(box), weight(box), weight(box + 0.01, moving=True), weight(box)]
            scanner.send(b"".join(frames))
        await until(lambda: driver._inbox.count >= 13)
        assert await scans(driver, 4) == [(1.2, None), ("kg", None), (3.4, None), ("kg", None)]
    finally:
        await driver.close()


def test_only_events_are_watched():
    def watching(**more):
        given = {"transport": "serial", "port": "/dev/ttyUSB0", "recipe": "mt-toledo-continuous"}
        return SerialDriver(SerialSettings(**given | more)).is_watching

    assert watching(recipe=SCANNER)
    assert watching(only="weighings")
    assert not watching()
    assert not watching(only="stable")
    assert not watching(recipe="mt-sics")


async def test_the_agent_gets_each_scan_once_also_behind_a_pulled_cable(scanner, tmp_path):
    name = tmp_path / "usb-scanner"
    name.symlink_to(scanner.port)
    driver = SerialDriver(
        SerialSettings(transport="serial", port=str(name), recipe=SCANNER, timeout="200ms")
    )
    async with polling(driver, every=0.5, door=[CODE]) as notes:
        await until(lambda: len(notes.kept) == 1)
        scanner.send(b"\r" + b"".join(b"CODE-%d\r" % number for number in range(30)))
        await until(lambda: len(codes(notes)) == 30)
        await scanner.cut()
        await until(lambda: whys(notes)[-1] is Why.LINK_DOWN)
        other = PtyInstrument()
        name.unlink()
        name.symlink_to(other.port)
        await until(lambda: whys(notes)[-1] is Why.STARTING)
        other.send(b"\rLAST\r")
        await until(lambda: codes(notes)[-1] == "LAST")
        await asyncio.sleep(0.1)
    await other.cut()
    assert codes(notes) == [*(f"CODE-{number}" for number in range(30)), "LAST"]


def codes(notes):
    return [v for samples in notes.of("door") for v in samples.values if v is not None]


def whys(notes):
    return [flaw.why for samples in notes.of("door") for flaw in samples.flaws.values()]
