"""Several instruments on a line, several requests in a read, a recipe's own times and defaults."""

import asyncio
import re
from pathlib import Path

import pytest
from edge_agent_serial import SerialAddress, SerialDriver, SerialSettings, library
from edge_agent_serial.engine import Engine
from edge_agent_serial.questions import Question, Questions

from edge_agent.driver import ConnectionLost, NoResponse, Why
from edge_agent.testing import DriverContract, Rig
from tests.rigs.instrument import PtyInstrument
from tests.rigs.polling import polling
from tests.rigs.until import until

RECIPES = Path(__file__).parent / "recipes"
BUS = str(RECIPES / "bus.yaml")
TOLEDO = bytes.fromhex("02 2C 30 20 30 30 30 32 33 34 30 30 30 30 30 30 0D 2C")


class Bus(PtyInstrument):
    """Transmitters by node; those that are `dead` stay silent, `delay` holds answers back."""

    def __init__(self):
        super().__init__()
        self.values = {1: "+1.00", 2: "+2.00", 3: "ERR"}
        self.dead: set[int] = set()
        self.delay: dict[int, float] = {}
        self._open = b""

    def hear(self, data):
        *whole, self._open = (self._open + data).split(b"\r")
        for request in whole:
            self.requests.append(request)
            self.asked.set()
            found = re.fullmatch(rb"#(\d\d) ([A-Z])\?", request)
            assert found, request
            self.reply(int(found[1]), found[2].decode())

    def reply(self, node, item):
        if node in self.dead or node not in self.values:
            return
        value = "4711" if item == "N" else self.values[node]
        answer = f"#{node:02d} {item} {value}\r".encode()
        asyncio.get_running_loop().call_later(self.delay.get(node, 0), self.send, answer)


@pytest.fixture
async def bus():
    bus = Bus()
    yield bus
    await bus.cut()


@pytest.fixture
async def driver(bus):
    driver = SerialDriver(settings(bus))
    await driver.open()
    yield driver
    await driver.close()


def settings(instrument, **more):
    more = {"transport": "serial", "recipe": BUS} | more
    return SerialSettings(port=instrument.port, **more)


def at(node, field="value", **more):
    return SerialAddress(field=field, node=node, **more)


async def read(driver, *addresses):
    return list(await driver.read(driver.plan(addresses, {})))


class TestBus(DriverContract):
    @pytest.fixture
    async def rig(self, bus):
        driver = SerialDriver(settings(bus))
        good = [at(1), at(1, "serial", type="text")]
        yield Rig(driver, good, bus.cut, at(1, "weight"), lambda: bus.dead.add(1))
        await driver.close()


async def test_each_device_is_asked_by_its_own_address(driver, bus):
    assert [s.value for s in await read(driver, at(1))] == [1.0]
    assert [s.value for s in await read(driver, at(2))] == [2.0]
    assert bus.requests == [b"#01 T?", b"#02 T?"]


async def test_one_read_asks_each_question_once_and_in_order(driver, bus):
    values = await read(driver, at(1), at(1, item="P"), at(1, "serial"), at(1))
    assert [s.value for s in values] == [1.0, 1.0, "4711", 1.0]
    assert bus.requests == [b"#01 T?", b"#01 P?", b"#01 N?"]


async def test_what_is_asked_once_has_the_time_when_it_was_read(driver, bus):
    (first,) = await read(driver, at(1, "serial"))
    value, again = await read(driver, at(1), at(1, "serial"))
    assert bus.requests == [b"#01 N?", b"#01 T?"]
    assert (first.time, value.time) == (None, None)
    assert again.value == "4711"
    assert again.time > 1_700_000_000_000
    await driver.close()
    await driver.open()
    assert (await read(driver, at(1, "serial")))[0].time is None


async def test_an_error_of_the_instrument_is_no_value(driver):
    assert (await read(driver, at(3)))[0].flaw.why is Why.NO_VALUE


async def test_an_answer_of_a_neighbour_is_never_ours(driver, bus):
    bus.delay = {1: 0.3}  # after the timeout, while the neighbour is asked
    bus.delay[2] = 0.15
    with pytest.raises(NoResponse):
        await read(driver, at(1))
    assert [s.value for s in await read(driver, at(2))] == [2.0]
    assert driver.evidence["foreign"] == 1


async def test_a_silent_device_does_not_hold_up_its_neighbour(driver, bus):
    bus.dead.add(1)
    taken = []
    for _ in range(3):  # a busy machine may be late, but not always
        with pytest.raises(NoResponse):
            await read(driver, at(1))
        asked = asyncio.get_running_loop().time()
        assert [s.value for s in await read(driver, at(2))] == [2.0]
        taken.append(asyncio.get_running_loop().time() - asked)
    assert min(taken) < 0.15, "no waiting for the first one's answer"


async def test_a_late_answer_is_never_that_to_the_same_question_again(driver, bus):
    bus.delay = {1: 0.3}
    with pytest.raises(NoResponse):
        await read(driver, at(1))
    bus.values[1], bus.delay = "+9.00", {}
    assert [s.value for s in await read(driver, at(1))] == [9.0]
    assert driver.evidence["late"] == 1


@pytest.mark.thorough
async def test_neighbours_of_a_dead_device_keep_their_polls(bus):
    bus.dead.add(1)
    driver = SerialDriver(settings(bus))
    async with polling(driver, every=0.1, dead=[at(1)], alive=[at(2)]) as notes:
        await until(lambda: ("dead", "silent") in [state[:2] for state in notes.states])
        await until(lambda: len(notes.of("dead")) >= 3)
        before = len(notes.of("alive"))
        await asyncio.sleep(0.6)
        polls = notes.of("alive")[before:]
    assert len(polls) >= 5
    assert all(samples.values == [2.0] for samples in polls)


@pytest.mark.parametrize(
    ("owed", "asked", "apart"),
    [
        ({"node": 1}, {"node": 2}, True),
        ({"node": 1}, {"node": 1}, False),
        ({"node": 1, "item": "T"}, {"node": 1, "item": "P"}, True),
    ],
)
def test_answers_are_told_apart_by_what_the_recipe_compares(owed, asked, apart):
    settings = SerialSettings(transport="serial", port="/dev/ttyUSB0", recipe=BUS)
    questions = Questions(settings.used_recipe, {})
    one, other = (
        Question("measured", tuple(sorted({"item": "T", **each}.items()))) for each in (owed, asked)
    )
    assert questions.can_tell_apart(one, other) is apart
    assert not questions.can_tell_apart(
        one, Question("serial", (("item", "P"), ("node", owed["node"])))
    )


async def test_a_recipe_s_stream_is_read_and_its_noise_is_counted():
    scale = PtyInstrument()
    driver = SerialDriver(
        settings(scale, recipe="mt-toledo-continuous", data_bits=8, parity="none", timeout="300ms")
    )
    await driver.open()
    try:
        scale.send(b"000\r" + TOLEDO + TOLEDO[:9] + TOLEDO[:-1] + b"\x11")
        addresses = [SerialAddress(field=name) for name in ("weight", "unit", "stable")]
        assert [s.value for s in await read(driver, *addresses)] == [2.34, "kg", True]
        assert driver.details()["frames"]["valid"] == 1
        assert driver.details()["frames"]["damaged"] >= 2
        with pytest.raises(NoResponse):
            await read(driver, *addresses)
    finally:
        await driver.close()
        await scale.cut()


async def test_a_scale_that_sends_seven_bits_gets_a_hint():
    scale = PtyInstrument()
    driver = SerialDriver(settings(scale, recipe="mt-sics", mode="stream", timeout="200ms"))
    await driver.open()
    try:
        line = b"S S     100.00 g\r\n" * 4
        even = bytes(byte | (byte.bit_count() & 1) << 7 for byte in line)
        scale.send(even)
        with pytest.raises(NoResponse, match="data_bits: 7 and parity: even"):
            await read(driver, SerialAddress(field="weight"))
    finally:
        await driver.close()
        await scale.cut()


async def test_only_stable_weights_are_values():
    scale = PtyInstrument()
    line = {"data_bits": 8, "parity": "none", "timeout": "300ms"}
    driver = SerialDriver(settings(scale, recipe="mt-toledo-continuous", only="stable", **line))
    await driver.open()
    try:
        moving = bytearray(TOLEDO[:-1])
        moving[2] |= 0x08
        for frame, expected in ((bytes(moving), (None, Why.DYNAMIC)), (TOLEDO, (2.34, None))):
            scale.send(frame + (b"" if frame is TOLEDO else b"\x24"))
            (sample,) = await read(driver, SerialAddress(field="weight"))
            assert (sample.value, sample.flaw and sample.flaw.why) == expected
    finally:
        await driver.close()
        await scale.cut()


@pytest.fixture
async def scale():
    scale = PtyInstrument()
    yield scale
    await scale.cut()


@pytest.fixture
async def continuous(scale):
    """A driver that looks at a continuous scale every half second."""
    line = {"data_bits": 8, "parity": "none"}
    driver = SerialDriver(settings(scale, recipe="mt-toledo-continuous", **line))
    await driver.open()
    yield driver
    await driver.close()


async def test_what_lies_unread_is_no_silence(continuous, scale):
    scale.send(TOLEDO[:-1])  # complete, if nothing follows
    await until(lambda: continuous._inbox.received == 17)
    scale.send(b"\x11")  # the checksum, and it is wrong
    await until(lambda: continuous._inbox.received == 18)
    assert continuous.details()["frames"] == {"damaged": 1}


async def test_a_stream_is_looked_at_now_and_then_and_when_it_is_read(continuous, scale):
    looks = []
    really = continuous._link._take

    def take():
        looks.append(asyncio.get_running_loop().time())
        really()

    continuous._link._take = take
    for _ in range(15):
        scale.send(TOLEDO)
        await asyncio.sleep(0.01)
    assert len(looks) <= 5
    assert [s.value for s in await read(continuous, SerialAddress(field="weight"))] == [2.34]
    assert continuous.details()["frames"] == {"valid": 15}
    taken = []
    for _ in range(3):  # and who waits is told at once, unless the machine is busy
        scale.send(TOLEDO)
        began = asyncio.get_running_loop().time()
        assert [s.value for s in await read(continuous, SerialAddress(field="weight"))] == [2.34]
        taken.append(asyncio.get_running_loop().time() - began)
    assert min(taken) < 0.45, "the next look would be later"


async def test_a_port_that_goes_while_it_is_left_lying_is_a_lost_link(continuous, scale):
    scale.send(TOLEDO)
    await read(continuous, SerialAddress(field="weight"))
    await scale.cut()
    with pytest.raises(ConnectionLost, match="is lost"):
        await read(continuous, SerialAddress(field="weight"))


def variant(tmp_path, *changes):
    """Write the bus's recipe with some words changed, and give its path."""
    text = Path(BUS).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "bus.yaml"
    path.write_text(text)
    return str(path)


@pytest.fixture
async def opened(bus):
    """Give a function that opens a driver for the bus with a recipe."""
    drivers = []

    async def opened(recipe):
        driver = SerialDriver(settings(bus, recipe=recipe))
        drivers.append(driver)
        await driver.open()
        return driver

    yield opened
    for driver in drivers:
        await driver.close()


async def test_an_instrument_is_not_asked_more_often_than_it_bears(opened, bus, tmp_path):
    recipe = variant(
        tmp_path,
        ("timeout: 200ms\n    once", "timeout: 200ms\n    min_interval: 0s\n    once"),
        ("brings: [value]", "brings: [value]\n    min_interval: 600ms"),
    )
    driver = await opened(recipe)
    began = asyncio.get_running_loop().time()
    await read(driver, at(1))
    await read(driver, at(1, "serial"))  # another request, which may be asked at once
    assert asyncio.get_running_loop().time() - began < 0.6
    await read(driver, at(1))
    assert asyncio.get_running_loop().time() - began >= 0.6
    assert driver.plan([at(1)], {}).cost == pytest.approx(0.6)


async def test_an_answer_that_goes_on_is_asked_for_to_its_end(opened, bus, tmp_path):
    recipe = variant(
        tmp_path,
        (
            "'#(?P<who>\\d\\d) N (?P<serial>\\d+)'",
            "'#(?P<who>\\d\\d) N (?P<serial>\\d+)(?P<more>[>.])'",
        ),
        (
            "    once: true\n",
            "    follow: {when: more == '>', send: '#{node:02d} M?\\r', join: [serial], most: 3}\n",
        ),
    )
    driver = await opened(recipe)
    parts = iter(["12>", "34>", "56."])
    bus.reply = lambda node, item: bus.send(f"#{node:02d} N {next(parts)}\r".encode())
    assert [s.value for s in await read(driver, at(1, "serial"))] == ["123456"]
    assert bus.requests == [b"#01 N?", b"#01 M?", b"#01 M?"]


def test_of_frames_that_come_at_once_only_the_last_is_read_but_all_are_counted(monkeypatch):
    engine = Engine(library.load("mt-toledo-continuous"))
    read = []
    really = engine._take
    monkeypatch.setattr(engine, "_take", lambda cut: read.append(cut.raw) or really(cut))
    (frame,) = engine.feed_latest(b"000\r" + TOLEDO * 7 + TOLEDO[:-1] + b"\x11" + TOLEDO)
    assert (frame.fields["weight"], len(read)) == (2.34, 1)
    assert engine.counts == {"valid": 8, "damaged": 1}
    lines = Engine(library.load("generic-line"))  # where only reading tells what is a frame
    assert len(lines.feed_latest(b"1.5 kg\r\n2.5 kg\r\n")) == 2
