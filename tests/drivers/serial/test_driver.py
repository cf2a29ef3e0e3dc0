import asyncio
import socket
import termios
import time

import pytest
from edge_agent_serial import SerialAddress, SerialDriver, SerialSettings

from edge_agent.driver import ConnectionLost, NoResponse, Why
from tests.rigs.instrument import TcpInstrument
from tests.rigs.until import until

WEIGHT = [SerialAddress(field="weight")]
ASKING = {"mode": "poll", "request": r"SI\r\n", "effect": "read"}
PATTERN = r"S (?P<state>[SD]) +(?P<weight>-? *[\d.]+) (?P<unit>\S+)"


@pytest.fixture(autouse=True)
def short_rests(monkeypatch):
    monkeypatch.setattr("edge_agent_serial.driver.REST", 0.05)  # between two looks at a stream


@pytest.fixture
async def make(instrument):
    """Give a function that makes an open driver for the instrument."""
    made = []

    async def make(**more):
        tcp = isinstance(instrument.port, int)
        more = {"transport": "tcp", "host": "127.0.0.1"} | more if tcp else more
        settings = {"transport": "serial", "pattern": PATTERN} | more
        driver = SerialDriver(SerialSettings(port=instrument.port, **settings))
        made.append(driver)
        await driver.open()
        return driver

    yield make
    for driver in made:
        await driver.close()


@pytest.fixture
async def stream(make, instrument):
    driver = await make()
    await attach(driver, instrument)
    return driver


@pytest.fixture
async def impatient(make, instrument):
    """A stream whose silence is short, though not too short to connect on a busy machine."""
    driver = await make(timeout=0.5)
    await attach(driver, instrument)
    return driver


@pytest.fixture
async def poll(make):
    return await make(**ASKING)


async def attach(driver, instrument):
    """End the line that may have begun before the driver listened."""
    if isinstance(instrument, TcpInstrument):
        await until(lambda: bool(instrument._writers))
    await arrival(driver, b"\r\n", instrument)


async def arrival(driver, data, instrument):
    """Send and wait until the driver has it."""
    before = driver._inbox.received
    instrument.send(data)
    await until(lambda: driver._inbox.received >= before + len(data))


async def read(driver, addresses=WEIGHT):
    return (await driver.read(driver.plan(addresses, {}))).values


async def test_the_last_line_counts(stream, instrument):
    await arrival(stream, b"S S     1.00 g\r\nS S     2.00 g\r\n", instrument)
    assert await read(stream) == [2.0]


async def test_a_line_is_handed_out_once(impatient, instrument):
    await arrival(impatient, b"S S     1.00 g\r\n", instrument)
    assert await read(impatient) == [1.0]
    with pytest.raises(NoResponse, match="nothing came for"):
        await read(impatient)


async def test_two_poll_groups_share_a_line(stream, instrument):
    await arrival(stream, b"S S     1.00 g\r\n", instrument)
    assert await read(stream) == [1.0]
    assert await read(stream, [SerialAddress(field="unit", type="text")]) == ["g"]


async def test_a_read_waits_for_the_next_line(stream, instrument):
    reading = asyncio.ensure_future(read(stream))
    await asyncio.sleep(0.02)
    instrument.send(b"S S     3.00 g\r\n")
    assert await reading == [3.0]


async def test_an_old_line_is_not_handed_out_as_new(impatient, instrument):
    await arrival(impatient, b"S S     1.00 g\r\n", instrument)
    await asyncio.sleep(impatient.settings.timeout + 0.02)
    with pytest.raises(NoResponse):
        await read(impatient)
    await arrival(impatient, b"S S     2.00 g\r\n", instrument)
    assert await read(impatient) == [2.0]


async def test_the_first_half_line_is_no_value(make, instrument):
    driver = await make(pattern=r"(?P<weight>\d+)")
    if isinstance(instrument, TcpInstrument):
        await until(lambda: bool(instrument._writers))
    await arrival(driver, b"34\r\n", instrument)
    asyncio.get_running_loop().call_later(0.02, instrument.send, b"5678\r\n")
    assert await read(driver) == [5678.0]


async def test_a_line_that_does_not_match_is_counted_and_shown_but_no_value(impatient, instrument):
    await arrival(impatient, b"S S     1.00 g\r\nS S     9x00 g\r\n", instrument)
    assert await read(impatient) == [1.0]
    assert impatient.evidence["unmatched"] == 1
    with pytest.raises(NoResponse, match=r"the last was 'S S     9x00 g'"):
        await read(impatient)


@pytest.mark.thorough
async def test_noise_costs_no_memory_and_the_next_line_is_read(stream, instrument):
    for _ in range(50):
        await arrival(stream, bytes(range(128, 256)), instrument)
    await arrival(stream, b"\r\nS S     1.00 g\r\n", instrument)
    assert await read(stream) == [1.0]
    assert stream.evidence["overlong"] == 1


async def test_a_stream_sends_nothing(stream, instrument):
    await arrival(stream, b"S S     1.00 g\r\n", instrument)
    await read(stream)
    await stream.close()
    assert instrument.requests == []


async def test_asking_sends_exactly_the_request(poll, instrument):
    instrument.answer = lambda _: b"S S     5.00 g\r\n"
    assert await read(poll) == [5.0]
    assert await read(poll) == [5.0]
    assert instrument.requests == [b"SI\r\n", b"SI\r\n"]


async def test_an_answer_in_pieces_after_an_echo_is_one_answer(poll, instrument):
    def answer(request):
        instrument.send(request)
        instrument.send(b"S S   ")
        asyncio.get_running_loop().call_later(0.03, instrument.send, b"  7.00 g\r\n")

    instrument.answer = answer
    assert await read(poll) == [7.0]


async def test_a_late_answer_is_never_the_answer_to_the_next_request(make, instrument):
    driver = await make(**ASKING, timeout=0.3)
    late = 0.4  # after the timeout, before twice the timeout
    answers = iter([(late, b"S S     1.00 g\r\n"), (0.01, b"S S     2.00 g\r\n")])

    def answer(_):
        delay, line = next(answers)
        asyncio.get_running_loop().call_later(delay, instrument.send, line)

    instrument.answer = answer
    with pytest.raises(NoResponse):
        await read(driver)
    assert await read(driver) == [2.0]
    assert driver.evidence["late"] == 1


async def test_the_answer_to_a_cancelled_read_is_never_the_next_one(poll, instrument):
    answers = iter([b"S S     1.00 g\r\n", b"S S     2.00 g\r\n"])

    def answer(_):
        asyncio.get_running_loop().call_later(0.05, instrument.send, next(answers))

    instrument.answer = answer
    reading = asyncio.ensure_future(read(poll))
    await instrument.asked.wait()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert await read(poll) == [2.0]


async def test_what_is_said_unasked_is_no_answer(poll, instrument):
    instrument.answer = lambda _: b"S S     5.00 g\r\n"
    assert await read(poll) == [5.0]
    await arrival(poll, b"S S     9.00 g\r\n", instrument)
    assert await read(poll) == [5.0]


async def test_what_the_system_holds_unread_is_no_answer(pty):
    settings = {"transport": "serial", "port": pty.port, "pattern": PATTERN, **ASKING}
    driver = SerialDriver(SerialSettings(**settings))
    await driver.open()
    try:
        pty.answer = lambda _: b"S S     5.00 g\r\n"
        assert await read(driver) == [5.0]
        pty.send(b"S S     9.00 g\r\n")
        while not driver._link._port.in_waiting:  # the driver must not run meanwhile
            time.sleep(0.001)  # noqa: ASYNC251
        assert await read(driver) == [5.0]
    finally:
        await driver.close()


async def test_the_rest_of_a_half_line_is_no_answer(make, instrument):
    later = asyncio.get_running_loop().call_later

    def answer(_):
        later(0.04, instrument.send, b"5\r\n")

    driver = await make(pattern=r"(?P<weight>\d+)", **ASKING)
    instrument.answer = answer
    assert await read(driver) == [5.0]
    await arrival(driver, b"12", instrument)
    later(0.02, instrument.send, b"34\r\n")
    assert await read(driver) == [5.0]


async def test_a_half_line_that_never_ends_is_no_part_of_the_answer(make, instrument):
    driver = await make(pattern=r"(?P<weight>\d+)", **ASKING)
    instrument.answer = lambda _: b"5\r\n"
    assert await read(driver) == [5.0]
    await arrival(driver, b"12", instrument)
    assert await read(driver) == [5.0]


async def test_quality_rules_reach_the_sample(make, instrument):
    driver = await make(
        **ASKING,
        bad_when={"overload": r"^S \+", "underload": "^S -"},
        uncertain_when={"dynamic": "^S D"},
    )
    found = []
    for line in (b"S +\r\n", b"S -\r\n", b"S D     1.00 g\r\n"):
        instrument.answer = lambda _, line=line: line
        (sample,) = await driver.read(driver.plan(WEIGHT, {}))
        found.append((sample.value, sample.flaw.why))
    assert found == [(None, Why.OVERLOAD), (None, Why.UNDERLOAD), (1.0, Why.DYNAMIC)]


async def test_a_lost_link_is_noticed_while_waiting(stream, instrument):
    reading = asyncio.ensure_future(read(stream))
    await asyncio.sleep(0.01)
    await instrument.cut()
    with pytest.raises(ConnectionLost, match=r"is lost|closed the connection"):
        await reading


async def failure(**settings):
    settings = {"transport": "serial", "pattern": PATTERN, "timeout": 30} | settings
    driver = SerialDriver(SerialSettings(**settings))
    with pytest.raises(ConnectionLost) as caught:
        await driver.open()
    await driver.close()
    return str(caught.value)


async def test_each_failure_to_open_has_its_own_sentence(pty, tmp_path):
    assert "there is no such port" in await failure(port="/dev/ttyNONE")
    no_port = tmp_path / "file"
    no_port.write_text("")
    assert "Inappropriate ioctl" in await failure(port=str(no_port))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        tcp = {"transport": "tcp", "host": "127.0.0.1", "port": port}
        assert "refuses the connection" in await failure(**tcp)
    tcp["host"] = "no-such-host.invalid"
    assert "the host 'no-such-host.invalid' is unknown" in await failure(**tcp)


async def test_line_settings_the_port_cannot_do_are_named(pty, monkeypatch):
    def refuse(*_):
        raise termios.error(22, "Invalid argument")

    monkeypatch.setattr(termios, "tcsetattr", refuse)  # only some systems' terminals refuse
    message = await failure(port=pty.port, data_bits=7, parity="even")
    assert "it cannot do 9600 baud 7E1" in message


async def test_a_port_in_use_is_called_that(pty):
    settings = SerialSettings(transport="serial", port=pty.port, pattern=PATTERN)
    first, second = SerialDriver(settings), SerialDriver(settings)
    await first.open()
    try:
        with pytest.raises(ConnectionLost, match="another program uses it"):
            await second.open()
    finally:
        await first.close()


async def test_a_port_without_permission_says_which_group(pty, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)  # root is refused nothing
    assert "dialout" in await failure(port=pty.port)


async def test_line_settings_reach_the_terminal(pty, monkeypatch):
    asked = []
    really = termios.tcsetattr

    def record(fd, when, attributes):
        asked.append(list(attributes))
        attributes[2] = attributes[2] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
        really(fd, when, attributes)  # a pseudo-terminal can do 8N1 only

    monkeypatch.setattr(termios, "tcsetattr", record)
    settings = SerialSettings(
        transport="serial",
        port=pty.port,
        pattern=PATTERN,
        baud=2400,
        data_bits=7,
        parity="odd",
        stop_bits=2,
    )
    driver = SerialDriver(settings)
    await driver.open()
    await driver.close()
    flags, speed = asked[0][2], asked[0][4]
    assert flags & termios.CSIZE == termios.CS7
    assert flags & termios.PARENB
    assert flags & termios.PARODD
    assert flags & termios.CSTOPB
    assert speed == termios.B2400


def test_the_cost_of_asking_is_the_time_on_the_line():
    settings = SerialSettings(
        transport="serial",
        port="/dev/ttyUSB0",
        pattern=PATTERN,
        mode="poll",
        request="SI\\r\\n",
        effect="read",
        baud=9600,
    )
    plan = SerialDriver(settings).plan(WEIGHT, {})
    assert plan.cost == pytest.approx(36 * 10 / 9600)
    assert plan.patience > 3 * settings.timeout
