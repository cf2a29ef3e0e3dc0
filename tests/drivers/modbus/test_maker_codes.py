"""Exception codes that the specification does not know: told as text, and passing."""

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings
from edge_agent_modbus.pdu import EXCEPTIONS, Refusal

from edge_agent.driver import Why
from tests.rigs.modbus_tcp import mbap, take_mbap


def refuse(code: int):
    def script(frame: bytes):
        number, unit, pdu = take_mbap(frame)
        return [(0, mbap(number, unit, bytes((pdu[0] | 0x80, code))))]

    return script


@pytest.mark.shows("P7.6")
@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0x41, "invalid message behind the gateway (0x41)"),
        (0x42, "wrong message length behind the gateway (0x42)"),
        (0x43, "wrong checksum behind the gateway (0x43)"),
        (0x4B, "data timeout behind the gateway (0x4B)"),
        (0x4A, "a code of its maker (0x4A), see its manual"),
        (0xE0, "a code of its maker (0xE0), see its manual"),
    ],
)
async def test_a_code_of_a_maker_is_told_and_the_next_poll_asks_again(tcp, code, words):
    driver = ModbusDriver(ModbusSettings(host="127.0.0.1", port=tcp.port))
    await driver.open()
    right, tcp.script = tcp.script, refuse(code)
    plan = driver.plan([ModbusAddress(offset=0), ModbusAddress(offset=1)], {})
    samples = await driver.read(plan)
    assert [flaw.why for flaw in samples.flaws.values()] == [Why.DEVICE_BAD] * 2
    assert words in samples.flaws[0].detail
    assert "asked again at the next poll" in samples.flaws[0].detail
    assert samples.learnt is None
    assert len(tcp.requests) == 1
    tcp.script = right
    assert (await driver.read(plan)).values == [1000, 1001]
    assert tcp.connects == 1
    await driver.close()


def test_every_code_has_words():
    for code in range(1, 256):
        assert len(str(Refusal(code))) > len("exception 1: ")
        assert ("maker" in str(Refusal(code))) == (
            code not in EXCEPTIONS and code not in {0x41, 0x42, 0x43, 0x4B}
        )
