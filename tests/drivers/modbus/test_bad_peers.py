"""Late, short, foreign, damaged, doubled and echoed answers: never a value, on any transport."""

import asyncio
import contextlib
import random

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings

from edge_agent.driver import NoResponse, Why
from tests.rigs.modbus_device import Device, with_crc
from tests.rigs.modbus_tcp import TcpPeer, mbap, take_mbap

TIMEOUT = 0.2


def tcp_driver(peer: TcpPeer, **keys) -> ModbusDriver:
    settings = {"host": "127.0.0.1", "port": peer.port, "timeout": TIMEOUT, **keys}
    return ModbusDriver(ModbusSettings(**settings))


def gateway_driver(peer: TcpPeer, **keys) -> ModbusDriver:
    return tcp_driver(peer, transport="rtu-over-tcp", **keys)


async def read(driver: ModbusDriver, *addresses: ModbusAddress):
    return await driver.read(driver.plan(addresses, {}))


HOLDING = ModbusAddress(unit=7, offset=100)


def frames(request: bytes, answer: bytes) -> dict[str, bytes]:
    """What peers were seen to send instead of the right RTU answer, or around it."""
    unit, pdu = answer[:1], answer[1:-2]
    return {
        "a unit that was not asked": with_crc(b"\x08" + pdu),
        "another function": with_crc(unit + b"\x04" + pdu[1:]),
        "one register too few": with_crc(unit + pdu[:1] + bytes((pdu[1] - 2,)) + pdu[2:-2]),
        "one register too many": with_crc(
            unit + pdu[:1] + bytes((pdu[1] + 2,)) + pdu[2:] + b"\0\0"
        ),
        "a byte count that is wrong": with_crc(unit + pdu[:1] + b"\x09" + pdu[2:]),
        "a checksum that is wrong": answer[:-1] + bytes((answer[-1] ^ 1,)),
        "the end missing": answer[:-1],
        "the beginning missing": answer[1:],
        "only the request's echo": request,
        "an empty line": b"",
        "junk": bytes(range(40)),
    }


@pytest.mark.parametrize("what", frames(b"12345678", b"\x07\x03\x02\x00\x01\x00\x00"))
async def test_a_wrong_answer_on_rtu_is_no_value(gateway, device, what):
    right = gateway.script
    gateway.script = lambda request: [(0, frames(request, right(request)[0][1])[what])]
    driver = gateway_driver(gateway)
    await driver.open()
    with contextlib.suppress(NoResponse):
        samples = await read(driver, HOLDING)
        assert samples.values == [None]
        assert samples.flaws[0].why is Why.DAMAGED
    gateway.script = right
    after = await read(driver, HOLDING)
    await driver.close()
    assert after.values == [1100]


@pytest.mark.parametrize(
    "around",
    [
        lambda request, right: b"\x00" + right,
        lambda request, right: b"\xff\x00" + right + b"\x00\x00\x00",
        lambda request, right: request + right,
        lambda request, right: right + right,
        lambda request, right: b"\x07\x03\x02" + right,
    ],
    ids=["glitch before", "glitches around", "echo", "duplicate", "a false start"],
)
async def test_the_right_answer_is_found_between_junk_on_rtu(gateway, around):
    right = gateway.script
    gateway.script = lambda request: [(0, around(request, right(request)[0][1]))]
    driver = gateway_driver(gateway)
    await driver.open()
    values = [(await read(driver, HOLDING)).values for _ in range(3)]
    await driver.close()
    assert values == [[1100]] * 3


async def test_on_tcp_a_late_answer_is_told_by_its_number(tcp, device):
    right, late = tcp.script, []

    def hold_back(request: bytes):
        late.append(right(request)[0][1])
        return []

    driver = tcp_driver(tcp)
    await driver.open()
    device.values[100] = 1
    tcp.script = hold_back
    with pytest.raises(NoResponse):
        await read(driver, HOLDING)
    device.values[100] = 2
    tcp.script = lambda request: [(0, late.pop() + right(request)[0][1])]
    assert (await read(driver, HOLDING)).values == [2]
    await driver.close()
    assert driver.evidence == {"late": 1}


async def test_on_rtu_a_late_answer_falls_into_the_quarantine(gateway, device):
    right = gateway.script
    delays = [TIMEOUT * 1.4, 0.0, 0.0]
    gateway.script = lambda request: [(delays.pop(0), right(request)[0][1])]
    driver = gateway_driver(gateway)
    await driver.open()
    device.values[100] = 1
    with pytest.raises(NoResponse):
        await read(driver, HOLDING)
    device.values[100] = 2
    after = [(await read(driver, HOLDING)).values for _ in range(2)]
    await driver.close()
    assert after == [[2], [2]]
    assert driver.evidence == {"late": 1}


async def test_an_answer_later_than_the_quarantine_has_the_wrong_length(gateway, device):
    right = gateway.script
    delays = [TIMEOUT * 2.5, TIMEOUT, 0.0]
    gateway.script = lambda request: [(delays.pop(0), right(request)[0][1])]
    driver = gateway_driver(gateway, late_window=0)
    await driver.open()
    device.values[100] = 1
    with pytest.raises(NoResponse):
        await read(driver, HOLDING)
    device.values[100] = 2
    outcomes = []
    for _ in range(2):
        try:
            outcomes.append((await read(driver, HOLDING)).values)
        except NoResponse:
            outcomes.append(None)
    await driver.close()
    assert [1] not in outcomes
    assert [count for _, _, count in device.reads[:2]] == [1, 2]


async def test_where_no_more_can_be_asked_for_behind_it_is_asked_for_before(gateway, device):
    right = gateway.script
    device.size = 101
    gateway.script = lambda request: []
    driver = gateway_driver(gateway)
    await driver.open()
    with pytest.raises(NoResponse):
        await read(driver, HOLDING)
    gateway.script = right
    assert (await read(driver, HOLDING)).values == [1100]
    await driver.close()
    assert device.reads == [(3, 100, 2), (3, 98, 3)]


async def test_where_nothing_else_can_be_asked_for_nothing_is_until_no_old_answer_is_due(
    gateway, device
):
    right = gateway.script
    device.holes = frozenset(range(100)) | frozenset(range(101, 200))
    gateway.script = lambda request: []
    driver = gateway_driver(gateway, timeout=0.02)
    await driver.open()
    with pytest.raises(NoResponse):
        await read(driver, HOLDING)
    gateway.script = right
    details = []
    async with asyncio.timeout(60):
        while (samples := await read(driver, HOLDING)).values == [None]:
            details.append(samples.flaws[0].detail)
    await driver.close()
    assert samples.values == [1100]
    assert "the device gives no cells around these" in details[0]
    assert device.reads[-1] == (3, 100, 1)
    assert all(count > 1 for _, _, count in device.reads[:-1])


async def test_a_cancelled_read_s_answer_is_not_taken_for_the_next_one(gateway, device):
    right = gateway.script
    delays = [TIMEOUT * 0.6, 0.0]
    gateway.script = lambda request: [(delays.pop(0), right(request)[0][1])]
    driver = gateway_driver(gateway)
    await driver.open()
    device.values[100] = 1
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(read(driver, HOLDING), TIMEOUT * 0.3)
    device.values[100] = 2
    assert (await read(driver, HOLDING)).values == [2]
    await driver.close()
    assert driver.evidence["late"] == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda number, unit, pdu: mbap(number - 1 & 0xFFFF, unit, pdu),
        lambda number, unit, pdu: mbap(number, unit + 1, pdu),
        lambda number, unit, pdu: mbap(number, unit, b"\x04" + pdu[1:]),
        lambda number, unit, pdu: mbap(number, unit, pdu[:1] + b"\x00"),
        lambda number, unit, pdu: mbap(number, unit, pdu[:-1]),
        lambda number, unit, pdu: mbap(number, unit, pdu)[:-1],
        lambda number, unit, pdu: b"\x00" * 9,
        lambda number, unit, pdu: with_crc(bytes((unit,)) + pdu),
    ],
    ids=["number", "unit", "function", "count", "length", "cut", "zeros", "rtu"],
)
async def test_a_wrong_answer_on_tcp_is_no_value(tcp, wrong):
    right = tcp.script
    tcp.script = lambda request: [(0, wrong(*take_mbap(right(request)[0][1])))]
    driver = tcp_driver(tcp)
    await driver.open()
    with contextlib.suppress(NoResponse):
        assert (await read(driver, HOLDING)).values == [None]
    tcp.script = right
    assert (await read(driver, HOLDING)).values == [1100]
    await driver.close()


async def test_a_stale_answer_before_the_right_one_is_passed_over(tcp):
    right = tcp.script
    tcp.script = lambda request: [(0, mbap(0x7001, 7, b"\x03\x02\x00\x01") + right(request)[0][1])]
    driver = tcp_driver(tcp)
    await driver.open()
    values = [(await read(driver, HOLDING)).values for _ in range(3)]
    await driver.close()
    assert values == [[1100]] * 3


async def test_a_gateway_that_never_numbers_is_read_by_option(tcp):
    right = tcp.script
    tcp.script = lambda request: [(0, b"\x00\x02" + right(request)[0][1][2:])]
    driver = tcp_driver(tcp, transaction_id="ignore")
    await driver.open()
    values = [(await read(driver, HOLDING)).values for _ in range(3)]
    await driver.close()
    assert values == [[1100]] * 3


class Liar:
    """Answers with the number of the poll: 5 % late, 1 % damaged, 1 % doubled, 1 % lost."""

    def __init__(self, device: Device, *, is_rtu: bool, timeout: float) -> None:
        self._device, self._is_rtu, self._timeout = device, is_rtu, timeout
        self._chance = random.Random(7)
        self.turn = 0

    def __call__(self, request: bytes):
        self._device.values = dict.fromkeys(range(10, 20), self.turn)
        answer, dice = self._right(request), self._chance.random()
        for share, lie in ((0.05, self._late), (0.06, self._damaged), (0.07, self._doubled)):
            if dice < share:
                return lie(answer)
        return [] if dice < 0.08 else [(0, answer)]

    def _right(self, request: bytes) -> bytes:
        if self._is_rtu:
            return with_crc(request[:1] + self._device.answer(request[1:-2]))
        number, unit, pdu = take_mbap(request)
        return mbap(number, unit, self._device.answer(pdu))

    def _late(self, answer: bytes):
        return [(self._timeout * self._chance.uniform(1.0, 3.0), answer)]

    def _damaged(self, answer: bytes):
        # TCP has its own checksum: there a gateway's header is what goes wrong
        at = self._chance.randrange(len(answer) if self._is_rtu else 9)
        return [(0, answer[:at] + bytes((answer[at] ^ 0x10,)) + answer[at + 1 :])]

    def _doubled(self, answer: bytes):
        return [(0, answer * 2)]


@pytest.mark.parametrize("keys", [{}, {"transport": "rtu-over-tcp"}], ids=["tcp", "rtu-over-tcp"])
async def test_a_thousand_requests_to_a_liar_bring_no_wrong_value(tcp, gateway, keys):
    timeout = TIMEOUT / 20
    peer, device = gateway if keys else tcp, Device()
    peer.script = liar = Liar(device, is_rtu=bool(keys), timeout=timeout)
    driver = ModbusDriver(ModbusSettings(host="127.0.0.1", port=peer.port, timeout=timeout, **keys))
    await driver.open()
    plan = driver.plan([ModbusAddress(unit=7, offset=at) for at in (10, 11)], {})
    values = []
    for liar.turn in range(1000):
        try:
            values += [(liar.turn, value) for value in (await driver.read(plan)).values]
        except NoResponse:
            continue
    await driver.close()
    good = [value for turn, value in values if value is not None]
    assert [(turn, value) for turn, value in values if value not in {turn, None}] == []
    assert len(good) > 2 * 700
    assert driver.evidence["late"] > 10
    assert device.writes == []


async def test_a_refusal_that_may_be_an_old_one_teaches_nothing(gateway, device):
    """Frames of refusals are all alike: this one is the late answer to the request before."""
    right, kept = gateway.script, []
    driver = gateway_driver(gateway, timeout=0.03, late_window=0)
    await driver.open()
    refused = driver.plan([ModbusAddress(unit=7, offset=5000)], {})
    wanted = driver.plan([ModbusAddress(unit=7, offset=at) for at in (100, 101)], {})
    gateway.script = lambda request: kept.append(right(request)[0][1]) or []
    with pytest.raises(NoResponse):
        await driver.read(refused)
    gateway.script = lambda request: [(0, kept.pop() if kept else right(request)[0][1])]
    samples = await driver.read(wanted)
    assert samples.values == [None, None]
    assert {flaw.why for flaw in samples.flaws.values()} == {Why.DAMAGED}
    assert samples.learnt is None
    assert (await driver.read(wanted)).values == [1100, 1101]
    await driver.close()
    assert device.reads[-1] == (3, 100, 3)  # for the answer to the second request may still come


async def test_a_late_refusal_in_the_quarantine_does_not_free_the_request_that_was_lost(
    gateway, device
):
    right = gateway.script
    old = with_crc(b"\x07\x83\x02")
    driver = gateway_driver(gateway, timeout=0.03)
    await driver.open()
    plan = driver.plan([HOLDING], {})
    device.values[100] = 1
    gateway.script = lambda request: [(0.04, old), (0.06, right(request)[0][1])]
    with pytest.raises(NoResponse):
        await driver.read(plan)
    device.values[100] = 2
    gateway.script = lambda request: [(0.02, right(request)[0][1])]
    values = []
    for _ in range(3):
        with contextlib.suppress(NoResponse):
            values += (await driver.read(plan)).values
    await driver.close()
    assert set(values) <= {2, None}
    assert device.reads[1] == (3, 100, 2)


async def test_two_timeouts_in_a_row_connect_to_a_gateway_anew_once(gateway, device):
    right = gateway.script
    gateway.script = lambda request: []
    driver = gateway_driver(gateway, timeout=0.02)
    await driver.open()
    for _ in range(4):
        with pytest.raises(NoResponse):
            await read(driver, HOLDING)
    assert gateway.connects == 2
    gateway.script = right
    assert (await read(driver, HOLDING)).values == [1100]
    await driver.close()
    assert driver.evidence["renewed"] == 1


async def test_a_numbered_gateway_is_not_connected_to_anew_for_silence(tcp):
    tcp.script = lambda request: []
    driver = tcp_driver(tcp, timeout=0.02)
    await driver.open()
    for _ in range(4):
        with pytest.raises(NoResponse):
            await read(driver, HOLDING)
    await driver.close()
    assert tcp.connects == 1


HEADERS = {
    "unit 0": (lambda number, unit, pdu: mbap(number, 0, pdu), {"answer_unit": "any"}),
    "unit 255": (lambda number, unit, pdu: mbap(number, 255, pdu), {"answer_unit": "any"}),
    "length": (
        lambda number, unit, pdu: mbap(number, unit, pdu)[:4] + b"\0\x06" + bytes((unit,)) + pdu,
        {"answer_length": "ignore"},
    ),
    "everything": (
        lambda number, unit, pdu: b"\0\x02\0\0\0\xff\0" + pdu,
        {"answer_length": "ignore", "answer_unit": "any", "transaction_id": "ignore"},
    ),
}


@pytest.mark.parametrize("what", HEADERS)
async def test_a_gateway_that_fills_in_its_header_wrongly_is_read_by_option(tcp, what):
    wrong, options = HEADERS[what]
    right = tcp.script
    tcp.script = lambda request: [(0, wrong(*take_mbap(right(request)[0][1])))]
    refused = ModbusAddress(unit=7, offset=5000)
    driver = tcp_driver(tcp, **options)
    await driver.open()
    values = [(await read(driver, HOLDING)).values for _ in range(3)]
    flaw = (await read(driver, refused)).flaws[0]
    await driver.close()
    assert values == [[1100]] * 3
    assert flaw.why is Why.REFUSED
    strict = tcp_driver(tcp, timeout=0.03)
    await strict.open()
    with contextlib.suppress(NoResponse):
        assert (await read(strict, HOLDING)).values == [None]
    await strict.close()


@pytest.mark.parametrize("options", [{"answer_unit": "any"}, {"answer_length": "ignore"}])
@pytest.mark.parametrize(
    "wrong",
    [
        lambda number, unit, pdu: mbap(number - 1 & 0xFFFF, unit, pdu),
        lambda number, unit, pdu: mbap(number, unit + 1, pdu),
        lambda number, unit, pdu: mbap(number, unit, b"\x04" + pdu[1:]),
        lambda number, unit, pdu: mbap(number, unit, pdu[:1] + b"\x04\0\0" + pdu[2:]),
    ],
    ids=["number", "unit", "function", "count"],
)
async def test_with_these_options_all_else_must_still_be_right(tcp, options, wrong):
    right = tcp.script
    tcp.script = lambda request: [(0, wrong(*take_mbap(right(request)[0][1])))]
    driver = tcp_driver(tcp, timeout=0.03, **options)
    await driver.open()
    with contextlib.suppress(NoResponse):
        assert (await read(driver, HOLDING)).values == [None]
    await driver.close()


async def test_a_block_as_long_as_the_device_allows_is_asked_in_halves_after_a_loss(
    gateway, device
):
    """Sixteen registers cannot be told from sixteen, and seventeen are refused."""
    right = gateway.script
    device.most = 16
    driver = gateway_driver(gateway, timeout=0.05)
    await driver.open()
    addresses = [ModbusAddress(unit=7, offset=at) for at in range(16)]
    plan = driver.plan(addresses, {"holes": {}, "limits": {"7/holding": 16}})
    gateway.script = lambda request: []
    with pytest.raises(NoResponse):
        await driver.read(plan)
    gateway.script = right
    values = (await driver.read(plan)).values
    again = (await driver.read(plan)).values
    await driver.close()
    assert values == again == list(range(1000, 1016))
    assert [count for _, _, count in device.reads if count <= 16] == [8, 8, 8, 8]


async def test_a_frame_that_only_looks_like_the_lost_answer_does_not_free_its_request(
    gateway, device
):
    """A device that answered one register too few has not thereby answered the request before."""
    right = gateway.script
    driver = gateway_driver(gateway, timeout=0.03)
    await driver.open()
    plan = driver.plan([HOLDING], {})
    gateway.script = lambda request: []
    with pytest.raises(NoResponse):
        await driver.read(plan)
    gateway.script = lambda request: [(0, with_crc(b"\x07\x03\x02\xde\xad"))]
    with pytest.raises(NoResponse, match="late 1"):
        await driver.read(plan)
    gateway.script = right
    assert (await driver.read(plan)).values == [1100]
    await driver.close()
    assert device.reads
    assert all(count > 1 for _, _, count in device.reads)


async def test_after_a_frame_that_nobody_expected_the_line_has_to_be_quiet(gateway, device):
    """Where one frame comes unasked another may follow: here the same answer once more."""
    right = gateway.script
    stray = with_crc(b"\x09\x03\x02\xde\xad")

    def say_more(request: bytes):
        answer = right(request)[0][1]
        return [(0, answer + stray), (0.015, answer)]

    gateway.script = say_more
    driver = gateway_driver(gateway)
    await driver.open()
    plan = driver.plan([HOLDING], {})
    device.values[100] = 1
    assert (await driver.read(plan)).values == [1]
    gateway.script = lambda request: [(0.02, right(request)[0][1])]
    device.values[100] = 2
    assert (await driver.read(plan)).values == [2]
    await driver.close()
