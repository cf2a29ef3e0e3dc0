"""Seeded faults of wires and settings, each named right: poller, Modbus driver and a paced line."""

import random

import pytest
from edge_agent_modbus import ModbusSettings

from tests.rigs.counter_plc import Heartbeat
from tests.rigs.modbus_device import with_crc
from tests.rigs.shared_line import SharedLine, connection, polling
from tests.rigs.uart import Collision, Wave, heard
from tests.rigs.until import until

BAUD = 115200
UNITS = range(1, 4)
EVERY = 0.04
TIMEOUT = 0.1
QUIET = 0.01  # seconds; who is later than that tears frames apart, and is a fault of the line's own
TRIES = 8


@pytest.fixture
def shared(tmp_path):
    shared = SharedLine(tmp_path / "ttyRS485", UNITS, BAUD)
    for plant in shared.plants.values():
        plant.values = {0: 0x1234, 1: 0xBEEF, 2: 55, 3: 0x00FF}
    shared.line.plug()
    yield shared
    shared.line.unplug()


def configured(shared):
    settings = ModbusSettings(
        transport="rtu", port=str(shared.line.path), baud=BAUD, timeout=TIMEOUT
    )
    return connection(UNITS, settings, every=EVERY, points=4)


def swapped_everywhere(request, answer):
    """Devices hear our requests inverted and say nothing; switching drivers leaves a glitch."""
    return [(0.001, b"\x00")] if request[0] == 2 else []


def another_baud(request, answer):
    return [(0.001, heard(Wave(answer, BAUD // 2), BAUD))]


def another_parity(request, answer):
    return [(0.001, heard(Wave(answer, BAUD, parity=True), BAUD))]


def two_of_one_number(request, answer):
    """A second unit 1, which holds other values, answers as fast."""
    if request[0] != 1:
        return [(0, answer)]
    other = with_crc(answer[:3] + bytes(byte ^ 0x3C for byte in answer[3:-2]))
    return [(0.001, heard(Collision(Wave(answer, BAUD), Wave(other, BAUD)), BAUD))]


def two_of_one_number_in_turn(request, answer):
    """The second unit 1 is a little slower."""
    if request[0] != 1:
        return [(0, answer)]
    other = with_crc(answer[:3] + bytes(byte ^ 0x3C for byte in answer[3:-2]))
    return [(0, answer + other)]


class NoTerminator:
    """Reflections spoil a bit of every sixth answer or so."""

    def __init__(self):
        self._random = random.Random(7)

    def __call__(self, request, answer):
        if self._random.random() > 0.15:
            return [(0, answer)]
        at, bit = self._random.randrange(3, len(answer)), 1 << self._random.randrange(8)
        return [(0, answer[:at] + bytes((answer[at] ^ bit,)) + answer[at + 1 :])]


def echoing_adapter(request, answer):
    return [(0, request), (0.001, answer)]


def second_master(request, answer):
    """A panel asks unit 9 for its own purposes whenever it likes: here after our third unit."""
    if request[0] != 3:
        return [(0, answer)]
    question = with_crc(b"\x09\x03\x00\x10\x00\x02")
    reply = with_crc(b"\x09\x03\x04\x00\x01\x00\x02")
    return [(0, answer), (0.004, question), (0.002, reply)]


def dead_device(request, answer):
    return [] if request[0] == 1 else [(0, answer)]


FAULTS = {
    "A and B swapped": (swapped_everywhere, "E-BUS-SILENT"),
    "wrong baud": (another_baud, "E-BUS-GARBAGE"),
    "wrong parity": (another_parity, "E-BUS-GARBAGE"),
    "one number twice": (two_of_one_number, "E-BUS-DUPLICATE"),
    "one number twice, in turn": (two_of_one_number_in_turn, "E-BUS-DUPLICATE"),
    "no terminator": (NoTerminator(), "E-BUS-CHECKSUM"),
    "echo": (echoing_adapter, "E-BUS-ECHO"),
    "second master": (second_master, "E-BUS-FOREIGN"),
    "dead device": (dead_device, "E-BUS-ABSENT"),
    "behind a gateway": (
        lambda request, answer: [(0, with_crc(bytes((request[0], request[1] | 0x80, 0x0B))))],
        "E-GATEWAY",
    ),
    "refused": (
        lambda request, answer: [(0, with_crc(bytes((request[0], request[1] | 0x80, 2))))],
        "E-BUS-REFUSED",
    ),
    "too slow": (lambda request, answer: [(TIMEOUT * 1.5, answer)], "E-BUS-LATE"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_seeded_fault_is_named_right(shared, fault):
    shared.wiring, code = FAULTS[fault]
    for _ in range(TRIES):
        async with Heartbeat() as own, polling(configured(shared)) as (_, kept):
            await until(lambda: any(state[2] == code for state in kept.states))
        blamed = {device for device, _, each in kept.states if each == code}
        expected = {"unit-1"} if code in {"E-BUS-ABSENT", "E-BUS-DUPLICATE"} else blamed
        wrong = {each for _, _, each in kept.states} - {code, ""}
        if (blamed, wrong) == (expected, set()) or own.worst < QUIET:
            break
    assert blamed == expected, kept.states
    assert not wrong, kept.states


@pytest.mark.thorough
async def test_a_healthy_line_is_blamed_for_nothing(shared):
    async with polling(configured(shared)) as (_, kept):
        await until(lambda: all(kept.good[f"unit-{unit}"] >= 40 for unit in UNITS))
    assert {(state, code) for _, state, code in kept.states} == {("up", "")}
