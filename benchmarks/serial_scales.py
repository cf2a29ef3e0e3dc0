"""`python -m benchmarks.serial_scales`: what ten scales cost that send 15 frames a second each.

The scales are pseudo-terminals on which another process writes frames of the Mettler Toledo
continuous output, with checksum and changing weights. The agent reads them by the shipped recipe
once a second and publishes to mosquitto. CPU is user and system time of the agent's process, as a
share of one core: of the whole agent, and what the scales add to an agent that has one simulated
sine to read a second.
"""

import argparse
import contextlib
import math
import os
import subprocess
import sys
import tempfile
import time
import tty
from pathlib import Path

from benchmarks import gateway
from benchmarks.broker import Broker
from benchmarks.rig import AgentProcess
from benchmarks.usage import usage

SCALES, FRAMES = 10, 15.0
WANTED = 3.0  # % of a core
WARM_UP = 5.0
POINTS = ("weight", "tare", "unit", "stable")

HEAD = """\
version: 1
agent: {{id: bench, site: works/bench}}
mqtt: {{url: 'mqtt://127.0.0.1:{broker}'}}
buffer: {{path: {buffer}}}
connections:
"""
IDLE = """\
  - name: idle
    driver: simulated
    devices: [{name: idle, every: 1s, points: {wave: {address: {}}}}]
"""
SCALE = """\
  - name: scale-{number}
    driver: serial
    settings: {{transport: serial, port: {port}, recipe: mt-toledo-continuous, data_bits: 8,
               parity: none}}
    devices: [{{name: scale-{number}, every: 1s, points: {{{points}}}}}]
"""


def frame(weight: float) -> bytes:
    """Write a stable weight in kg with two decimals, and no tare."""
    body = b"\x02\x2c\x30\x20" + f"{round(weight * 100):06}000000".encode() + b"\r"
    return body + bytes((-sum(byte & 0x7F for byte in body) & 0x7F,))


def send(ends: list[int]) -> None:
    """Write frames for ever; a scale that nobody reads loses its frames, as a real one does."""
    begin = time.monotonic()
    sent = 0
    for end in ends:
        os.set_blocking(end, False)
    while True:
        due = begin + sent / FRAMES / len(ends)
        time.sleep(max(0.0, due - time.monotonic()))
        weight = 10 + 5 * math.sin(due - begin)
        with contextlib.suppress(BlockingIOError):
            os.write(ends[sent % len(ends)], frame(weight))
        sent += 1


def _share(program: Path, config: Path, seconds: float) -> float:
    """Give the CPU of an agent in percent of a core, once it runs evenly."""
    agent = AgentProcess(program, config)
    try:
        time.sleep(WARM_UP)
        agent.check()
        before, begin = usage(agent.number), time.monotonic()
        time.sleep(seconds)
        agent.check()
        used = usage(agent.number) - before
        taken = time.monotonic() - begin
        _check_that_it_reads(agent)
    finally:
        agent.stop()
    return 100 * used.cpu / taken


def _check_that_it_reads(agent: AgentProcess) -> None:
    """Make sure that what is measured is work that succeeds."""
    states = {device["device"]: device["state"] for device in agent.status()["devices"]}
    if set(states.values()) != {"up"}:
        raise RuntimeError(f"not every device is read: {states}")


def _measure(program: Path, folder: Path, seconds: float) -> tuple[float, float]:
    """Give the share of the agent with scales, and of an idle one."""
    pairs = [os.openpty() for _ in range(SCALES)]
    for _, near in pairs:
        tty.setraw(near)
    far = [end for end, _ in pairs]
    sender = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-m", "benchmarks.serial_scales", "--send", *map(str, far)],
        cwd=gateway.ROOT, pass_fds=far,
    )  # fmt: skip
    try:
        (folder / "broker").mkdir()
        broker = Broker(folder / "broker")
        try:
            scales = "".join(
                SCALE.format(
                    number=number,
                    port=os.ttyname(near),
                    points=", ".join(f"{name}: {{address: {name}}}" for name in POINTS),
                )
                for number, (_, near) in enumerate(pairs)
            )
            idle = _share(program, _config(folder / "idle", broker.port, IDLE), seconds)
            return _share(program, _config(folder / "scales", broker.port, scales), seconds), idle
        finally:
            broker.stop()
    finally:
        sender.kill()
        sender.wait()
        for ends in pairs:
            for end in ends:
                os.close(end)


def _config(folder: Path, broker: int, connections: str) -> Path:
    folder.mkdir()
    path = folder / "edge-agent.yaml"
    path.write_text(HEAD.format(broker=broker, buffer=folder / "buffer") + connections)
    return path


def main() -> int:
    """Measure, print, and tell whether it is enough."""
    parser = argparse.ArgumentParser("python -m benchmarks.serial_scales", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="of each measurement (30)")
    parser.add_argument("--send", type=int, nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.send:
        send(options.send)
    with gateway.alone(), tempfile.TemporaryDirectory() as folder:
        whole, idle = _measure(gateway.here(), Path(folder), options.seconds)
    for what, share in (("the whole agent", whole), ("above an idle agent", whole - idle)):
        sys.stdout.write(
            f"{SCALES} scales, {FRAMES:g} frames/s each, {what:<20} wanted {WANTED:.1f} %"
            f"  measured {share:.2f} % of a core\n"
        )
    return 0 if whole <= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
