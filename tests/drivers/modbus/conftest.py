"""Devices on a wire: a TCP endpoint and a paced serial line, with the same registers behind."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.rigs.modbus_device import Device, crc, with_crc
from tests.rigs.modbus_tcp import TcpPeer, mbap, take_mbap
from tests.rigs.serial_line import SerialLine


@pytest.fixture
def device() -> Iterator[Device]:
    device = Device()
    yield device
    assert device.writes == [], "something tried to write"


@pytest.fixture
async def tcp(device: Device) -> AsyncIterator[TcpPeer]:
    """A healthy Modbus TCP device."""

    def script(frame: bytes):
        number, unit, pdu = take_mbap(frame)
        return [(0, mbap(number, unit, device.answer(pdu)))]

    peer = TcpPeer(script)
    await peer.start()
    yield peer
    await peer.stop()


def rtu_script(device: Device):
    """Answer RTU frames as a healthy device of any unit does."""

    def script(frame: bytes):
        assert crc(frame[:-2]) == frame[-2:]
        return [(0, with_crc(frame[:1] + device.answer(frame[1:-2])))]

    return script


@pytest.fixture
async def gateway(device: Device) -> AsyncIterator[TcpPeer]:
    """RTU frames carried by TCP."""
    peer = TcpPeer(rtu_script(device), request_size=8)
    await peer.start()
    yield peer
    await peer.stop()


@pytest.fixture
def line(device: Device, tmp_path: Path) -> Iterator[SerialLine]:
    """A healthy RTU device on a serial line of 115200 baud."""
    line = SerialLine(tmp_path / "ttyRS485", rtu_script(device))
    line.plug()
    yield line
    line.unplug()
