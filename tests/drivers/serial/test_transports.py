"""Serial ports as they are set, calls from outside, datagrams: who is listened to and who not."""

import asyncio
import contextlib
import socket
import termios

import pytest
from edge_agent_serial import SerialAddress, SerialDriver, SerialSettings
from edge_agent_serial.allowed import Allowed
from edge_agent_serial.marks import Marks

from edge_agent.driver import ConnectionLost, NoResponse
from edge_agent.testing import DriverContract, Rig
from tests.rigs.instrument import Instrument, PtyInstrument
from tests.rigs.until import until

LINE = b"ST,GS,+  12.34kg\r\n"
PATTERN = r"(?P<state>ST|US),GS,(?P<weight>[+-] *[\d.]+)(?P<unit>kg|lb)"
WEIGHT = [SerialAddress(field="weight")]
GOOD = [*WEIGHT, SerialAddress(field="unit", type="text")]
ASKING = {"mode": "poll", "request": r"Q\r\n", "effect": "read"}


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(type=kind) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class CallingInstrument(Instrument):
    """A converter that calls the gateway, again and again."""

    def __init__(self, port, source="127.0.0.1"):
        super().__init__()
        self.port, self.source = port, source
        self.refused = 0
        self._writer = None
        self._calling = asyncio.ensure_future(self._call())

    async def _call(self):
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", self.port, local_addr=(self.source, 0)
                )
                await self._talk(reader, writer)
            await asyncio.sleep(0.01)

    async def _talk(self, reader, writer):
        self._writer = writer
        try:
            while data := await reader.read(4096):
                self.hear(data)
        except OSError:
            pass
        finally:
            self._writer = None
            self.refused += 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def send(self, data):
        if self._writer is not None:
            self._writer.write(data)

    async def cut(self):
        await super().cut()
        self._calling.cancel()
        await asyncio.gather(self._calling, return_exceptions=True)


class UdpInstrument(Instrument, asyncio.DatagramProtocol):
    """An instrument that speaks datagrams."""

    def __init__(self, target=None):
        super().__init__()
        self.target = target
        self.transport = None

    async def bind(self, address="127.0.0.1"):
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(address, 0)
        )
        self.port = self.transport.get_extra_info("sockname")[1]

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, source):
        self.target = source
        self.hear(data)

    def error_received(self, error):
        pass

    def send(self, data):
        if self.target is not None and self.transport is not None:
            self.transport.sendto(data, self.target)

    async def cut(self):
        await super().cut()
        if self.transport is not None:
            self.transport.close()


def driver_for(**settings):
    return SerialDriver(SerialSettings(**{"pattern": PATTERN, "timeout": 0.2} | settings))


async def read(driver, addresses=WEIGHT):
    return (await driver.read(driver.plan(addresses, {}))).values


async def read_often(driver):
    """Read what has come already, and on until something happens."""
    for _ in range(20):
        await read(driver)


@pytest.fixture
async def opened():
    """Give a function that opens a driver; all are closed at the end."""
    drivers = []

    async def opened(**settings):
        driver = driver_for(**settings)
        drivers.append(driver)
        await driver.open()
        return driver

    yield opened
    for driver in drivers:
        await driver.close()


@pytest.fixture
async def instruments():
    """Keep instruments that are cut at the end."""
    made = []
    yield made
    for instrument in made:
        await instrument.cut()


class TestCalled(DriverContract):
    """Instruments that call us."""

    @pytest.fixture
    async def rig(self):
        port = free_port()
        instrument = CallingInstrument(port)
        instrument.stream(LINE, every=0.01)
        driver = driver_for(transport="tcp-server", port=port, bind="127.0.0.1")

        async def silence():
            instrument.silence()
            await asyncio.sleep(0.05)
            with contextlib.suppress(NoResponse):
                await read(driver)

        yield Rig(driver, GOOD, instrument.cut, SerialAddress(field="tare"), silence)
        await driver.close()
        await instrument.cut()


class TestDatagrams(DriverContract):
    """Instruments that are asked by datagrams."""

    @pytest.fixture
    async def rig(self):
        instrument = UdpInstrument()
        await instrument.bind()
        instrument.answer = lambda request: LINE if request == b"Q\r\n" else None
        driver = driver_for(transport="udp", host="127.0.0.1", port=instrument.port, **ASKING)
        yield Rig(driver, GOOD, instrument.cut, SerialAddress(field="tare"), instrument.silence)
        await driver.close()
        await instrument.cut()

    async def test_open_fails_with_connection_lost_and_can_be_closed(self, rig):
        """Nobody can tell whether a datagram is wanted before one is sent."""
        await rig.cut()
        await rig.driver.open()
        with pytest.raises(ConnectionLost, match="does not listen"):
            await read_often(rig.driver)
        await rig.driver.close()


async def test_a_second_caller_is_refused_and_counted_and_the_first_goes_on(opened, instruments):
    port = free_port()
    first = CallingInstrument(port)
    instruments.append(first)
    driver = await opened(transport="tcp-server", port=port, bind="127.0.0.1")
    second = CallingInstrument(port)
    instruments.append(second)
    second.stream(LINE.replace(b"12.34", b"99.99"), every=0.002)
    await until(lambda: second.refused >= 2)
    first.send(LINE * 2)
    assert await read(driver) == [12.34]
    assert driver.evidence["second_peer"] >= 2


async def test_only_those_on_the_list_may_call(opened, instruments):
    port = free_port()
    stranger, known = CallingInstrument(port, "127.0.0.2"), CallingInstrument(port, "127.0.0.3")
    instruments += [stranger, known]
    stranger.stream(LINE.replace(b"12.34", b"99.99"), every=0.002)
    known.stream(LINE, every=0.002)
    driver = await opened(
        transport="tcp-server", port=port, bind="127.0.0.1", allow=["127.0.0.3/32"]
    )
    await until(lambda: stranger.refused >= 1)
    assert await read(driver) == [12.34]
    assert driver.evidence["stranger"] >= 1


async def test_nobody_calls_and_the_next_try_is_made_at_once():
    driver = driver_for(transport="tcp-server", port=free_port(), bind="127.0.0.1", timeout=0.05)
    with pytest.raises(ConnectionLost, match="nobody has called") as caught:
        await driver.open()
    assert caught.value.retry_after == 0
    await driver.close()


async def test_a_port_that_is_taken_is_named(opened, instruments):
    port = free_port()
    instruments.append(CallingInstrument(port))
    await opened(transport="tcp-server", port=port, bind="127.0.0.1")
    with pytest.raises(ConnectionLost, match="cannot be opened for listening"):
        await opened(transport="tcp-server", port=port, bind="127.0.0.1")


async def test_datagrams_of_strangers_are_dropped_and_counted(opened, instruments):
    port = free_port(socket.SOCK_DGRAM)
    driver = await opened(transport="udp", port=port, bind="127.0.0.1", allow=["127.0.0.3"])
    known, stranger = UdpInstrument(("127.0.0.1", port)), UdpInstrument(("127.0.0.1", port))
    instruments += [known, stranger]
    await known.bind("127.0.0.3")
    await stranger.bind("127.0.0.2")
    reading = asyncio.ensure_future(read(driver))
    stranger.send(LINE.replace(b"12.34", b"99.99") * 2)
    await until(lambda: driver.evidence["stranger"] == 1)
    known.send(LINE * 2)
    assert await reading == [12.34]


async def test_a_bound_port_answers_who_spoke_last(opened, instruments):
    port = free_port(socket.SOCK_DGRAM)
    driver = await opened(transport="udp", port=port, bind="127.0.0.1", **ASKING)
    with pytest.raises(ConnectionLost, match="whom to ask is unknown"):
        await read(driver)
    instrument = UdpInstrument(("127.0.0.1", port))
    instruments.append(instrument)
    await instrument.bind()
    instrument.answer = lambda _: LINE
    instrument.send(b"hello\r\n")
    await until(lambda: driver._inbox.received > 0)
    assert await read(driver) == [12.34]
    assert instrument.requests == [b"Q\r\n"]


async def test_datagrams_from_others_never_reach_a_connected_socket(opened, instruments):
    instrument, other = UdpInstrument(), UdpInstrument()
    instruments += [instrument, other]
    await instrument.bind()
    await other.bind()
    driver = await opened(transport="udp", host="127.0.0.1", port=instrument.port)
    ours = driver._link._transport.get_extra_info("sockname")
    other.target = instrument.target = ours
    other.send(LINE.replace(b"12.34", b"99.99") * 2)
    instrument.send(LINE * 2)
    assert await read(driver) == [12.34]
    assert driver._inbox.received == 2 * len(LINE)


def test_addresses_and_networks_are_told_apart():
    allowed = Allowed(["10.0.0.7", "192.168.1.0/24", "fd00::/8"])
    assert "10.0.0.7" in allowed
    assert "::ffff:10.0.0.7" in allowed
    assert "192.168.1.200" in allowed
    assert "fd00::1%eth0" in allowed
    assert "10.0.0.8" not in allowed
    assert "8.8.8.8" in Allowed([])


@pytest.mark.parametrize("cut", range(8))
def test_marks_of_misread_characters_are_taken_out_of_any_pieces(cut):
    marked = b"A\xff\xffB\xff\x00CD"
    marks = Marks()
    pieces = [*marks.take(marked[:cut]), *marks.take(marked[cut:])]
    plain = b"".join(b"?" if piece is None else piece for piece in pieces)
    assert plain == b"A\xffB?D"
    assert pieces.count(None) == 1


@pytest.mark.parametrize(
    ("marked", "plain"),
    [(b"\xff\x00\x00", [None]), (b"\xffA", [b"\xffA"]), (b"\xff\xff\xff\xff", [b"\xff\xff"])],
)
def test_a_break_is_a_misread_character_and_a_lone_mark_is_itself(marked, plain):
    assert list(Marks().take(marked)) == plain


async def test_a_line_with_a_misread_character_is_no_value(opened, instruments, monkeypatch):
    pty = PtyInstrument()
    instruments.append(pty)
    driver = await opened(transport="serial", port=pty.port, pattern=r"(?P<weight>\d+)")
    with monkeypatch.context() as patch:  # a pseudo-terminal misreads nothing
        patch.setattr("os.read", lambda *_: b"\r\n12\xff\x00034\r\n")
        driver._link._take()
    assert driver.evidence["framing"] == 1
    with pytest.raises(NoResponse):
        await read(driver)
    pty.send(b"56\r\n")
    assert await read(driver) == [56.0]
    assert driver.evidence["damaged"] == 1


async def test_the_port_marks_misread_characters(opened, instruments):
    pty = PtyInstrument()
    instruments.append(pty)
    driver = await opened(transport="serial", port=pty.port)
    modes = termios.tcgetattr(driver._link._port.fileno())[0]
    assert modes & termios.INPCK
    assert modes & termios.PARMRK
    assert not modes & (termios.IGNPAR | termios.BRKINT | termios.ISTRIP | termios.ICRNL)


async def test_an_adapter_that_is_plugged_in_again_is_found_by_its_name(tmp_path, instruments):
    name = tmp_path / "usb-FTDI_FT232R_A10K2X3Y-if00-port0"
    driver = driver_for(transport="serial", port=str(name))
    with pytest.raises(ConnectionLost, match="is the adapter plugged in") as caught:
        await driver.open()
    assert caught.value.retry_after == 1.0
    for weight in (b"12.34", b"56.78"):
        pty = PtyInstrument()
        instruments.append(pty)
        name.symlink_to(pty.port)
        await driver.open()
        pty.stream(LINE.replace(b"12.34", weight), every=0.01)
        assert await read(driver) == [float(weight)]
        await pty.cut()
        with pytest.raises(ConnectionLost, match="is lost"):
            await read_often(driver)
        await driver.close()
        name.unlink()
