"""Benches with one thing wrong each, as it is wrong in the field."""

import asyncio
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rigs.beginner import Rule, picks
from tests.rigs.bench import Bench
from tests.rigs.modbus_device import Device, with_crc
from tests.rigs.serial_converter import Converter
from tests.rigs.uart import Wave, heard

BAUD = 9600
Fault = Callable[[Bench], Iterator[list[Rule]]]


def nothing_answers(bench: Bench) -> Iterator[list[Rule]]:
    """A and B are swapped: no device hears anything, and we hear none."""
    bench.line.devices.clear()
    yield []


def other_parity(bench: Bench) -> Iterator[list[Rule]]:
    """A device with odd parity, which looks at no parity itself, is heard at none and even."""
    bench.line.deaf = True

    def spoilt(request: bytes, answer: bytes | None):
        wave = Wave(answer or b"", BAUD, parity=True, odd=True)
        return [(0.005, heard(wave, BAUD))] if answer else []

    bench.line.wiring = spoilt
    yield []


def echoing_adapter(bench: Bench) -> Iterator[list[Rule]]:
    """The adapter hears itself, and the device is off."""
    bench.line.devices.clear()
    bench.line.wiring = lambda request, _answer: [(0, request)]
    yield []


def second_master(bench: Bench) -> Iterator[list[Rule]]:
    """A panel reads unit 5 twice a second."""
    question = with_crc(bytes((5, 3, 0, 0, 0, 2)))
    answer = with_crc(bytes((5, 3, 4, 0, 1, 0, 2)))
    over = threading.Event()

    def talk() -> None:
        while not over.wait(0.25):
            os.write(bench.line.line._far, question)
            over.wait(0.02)
            os.write(bench.line.line._far, answer)

    thread = threading.Thread(target=talk)
    thread.start()
    yield []
    over.set()
    thread.join()


def other_number(bench: Bench) -> Iterator[list[Rule]]:
    """The plan of the electrician says number 7; the device still has 1."""
    del bench.line.devices[2]
    yield [
        (r"What now\?.*keep it", lambda _person, screen: screen.choice("test again")),
        (r"Which one do you want", picks("type settings")),
        (r"How fast does the device talk", picks("9600")),
        (r"And its parity", picks("even")),
        (r"number on the line", lambda _person, _screen: "7"),
    ]


def only_exceptions(bench: Bench) -> Iterator[list[Rule]]:
    """A device that has nothing where it is asked."""
    bench.line.devices = {1: Device(size=0)}
    yield [(r"Which one do you want", picks("id 1"))]


def raw_converter(bench: Bench) -> Iterator[list[Rule]]:
    """A converter passes serial frames on, at a port where Modbus TCP is expected."""
    with _in_thread(Converter(bench.line.devices)) as converter:
        yield [
            (r"What do you connect\?", picks("Network cable")),
            (r"address of the device", lambda _person, _screen: f"127.0.0.1:{converter.port}"),
        ]


def port_in_use(bench: Bench) -> Iterator[list[Rule]]:
    """Another program has the port open."""
    with open(bench.line.port, "rb", buffering=0) as port:  # noqa: PTH123 - a terminal, no file
        holder = subprocess.Popen(["sleep", "300"], stdin=port)
    yield []
    holder.kill()
    holder.wait()


def no_rights(bench: Bench) -> Iterator[list[Rule]]:
    """Whoever sets up may not open the port."""
    Path(bench.line.port).chmod(0)
    bench.as_nobody()
    yield []


@contextmanager
def _in_thread(converter: Converter) -> Iterator[Converter]:
    up = threading.Event()
    stop: list[Callable[[], object]] = []

    async def serve() -> None:
        end = asyncio.Event()
        await converter.start()
        loop = asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(end.set))
        up.set()
        await end.wait()
        await converter.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert up.wait(10)
    try:
        yield converter
    finally:
        stop[0]()
        thread.join()
