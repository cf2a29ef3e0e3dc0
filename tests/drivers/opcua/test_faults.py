import asyncio
import socket
from pathlib import Path

import pytest
from asyncua import ua
from edge_agent_opcua import OpcUaAddress, OpcUaSettings
from edge_agent_opcua.catalogue import Fault
from edge_agent_opcua.fault_page import page
from edge_agent_opcua.faults import diagnose, lost, noticed, refused, unreachable

from edge_agent.driver import ConnectionLost, Flaw, Quality, Why
from tests.rigs.opcua_plant import OVEN, make_driver
from tests.rigs.until import until

PAGE = Path("docs/opcua-faults.md")


async def refusal(driver):
    with pytest.raises(ConnectionLost) as caught:
        await driver.open()
    await driver.close()
    return caught.value


async def failure(driver):
    return str(await refusal(driver))


def test_every_fault_has_a_code_of_its_own_and_the_page_is_fresh():
    codes = [fault.value.code for fault in Fault]
    assert {code for code in codes if codes.count(code) > 1} == {"E-OPCUA-CLOCK"}
    assert PAGE.read_text("utf-8") == page()


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_says_what_where_and_what_to_do_next(fault):
    error = lost(fault, "opc.tcp://x:1", "because", "00FF", "/other")
    assert error.code == fault.value.code
    assert "{" not in str(error)
    assert ": " in str(error)
    if "edge-agent trust opc" in str(error):
        assert "--pki /other" in str(error)


def test_what_a_stranger_wrote_is_shown_without_control_characters_and_not_at_any_length():
    sentence = str(lost(Fault.WRONG_HOST, "opc.tcp://x:1", "\x1b[2Jplc\n{own}" + "x" * 5000))
    assert "?[2Jplc?{own}x" in sentence
    assert len(sentence) < 700


OPEN, SECURE = {"security": "none"}, {}
USER = {"username": "me", "password_file": "/run/pw"}


@pytest.mark.parametrize(
    ("status", "settings", "own", "code"),
    [
        (0x80130000, SECURE, "00FF", "E-OPCUA-CLIENT-UNTRUSTED"),
        (0x801A0000, SECURE, "00FF", "E-OPCUA-CLIENT-UNTRUSTED"),
        (0x80170000, SECURE, "00FF", "E-OPCUA-CLIENT-CERT"),
        (0x80550000, SECURE, "00FF", "E-OPCUA-SESSION"),
        # before our certificate was shown: when it was asked for its endpoints
        (0x80130000, SECURE, "", "E-OPCUA-SESSION"),
        (0x80550000, SECURE, "", "E-OPCUA-SESSION"),
        (0x80130000, OPEN, "", "E-OPCUA-ENCRYPTION"),
        (0x80550000, OPEN, "", "E-OPCUA-ENCRYPTION"),
        (0x801F0000, SECURE | USER, "00FF", "E-OPCUA-USER"),
        (0x801F0000, SECURE, "00FF", "E-OPCUA-ANONYMOUS"),
        (0x80210000, OPEN, "", "E-OPCUA-ANONYMOUS"),
        (0x80560000, OPEN, "", "E-OPCUA-FULL"),
        (0x80830000, OPEN, "", "E-OPCUA-URL"),
        (0x800E0000, OPEN, "", "E-OPCUA-NOT-READY"),
        (0x80020000, OPEN, "", "E-OPCUA-SESSION"),
    ],
)
def test_a_refusal_means_something_else_with_and_without_security(status, settings, own, code):
    wanted = OpcUaSettings(url="opc.tcp://x:1", **settings)
    assert refused(wanted, wanted.url, status, "BadX", own).code == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (socket.gaierror(-2, "Name or service not known"), "E-OPCUA-HOST"),
        (ConnectionRefusedError(), "E-OPCUA-REFUSED"),
        (TimeoutError(), "E-OPCUA-TIMEOUT"),
        (ConnectionResetError(), "E-OPCUA-CLOSED"),
        (OSError(113, "No route to host"), "E-OPCUA-UNREACHABLE"),
    ],
)
def test_each_way_of_being_unreachable_has_a_code(error, code):
    assert unreachable("opc.tcp://x:1", error, 5.0).code == code


@pytest.mark.parametrize(
    ("flaw", "code"),
    [
        (Flaw(Quality.BAD, Why.REFUSED, "BadNodeIdUnknown 0x80340000"), "E-OPCUA-NODE"),
        (Flaw(Quality.BAD, Why.REFUSED, "the server has no namespace 'x'"), "E-OPCUA-NAMESPACE"),
        (Flaw(Quality.BAD, Why.REFUSED, "BadNotReadable 0x803A0000"), "E-OPCUA-ACCESS"),
        (Flaw(Quality.BAD, Why.REFUSED, "BadUserAccessDenied 0x801F0000"), "E-OPCUA-ACCESS"),
        (Flaw(Quality.BAD, Why.DECODE_ERROR, "whatever"), "E-OPCUA-TYPE"),
        (Flaw(Quality.BAD, Why.DEVICE_BAD, "BadSensorFailure 0x808C0000"), None),
        (Flaw(Quality.BAD, Why.REFUSED, "BadAttributeIdInvalid 0x80350000"), None),
    ],
)
def test_what_is_wrong_with_a_node_has_a_code(flaw, code):
    found = diagnose(noticed([flaw]))
    assert (found and found.code) == code


@pytest.mark.thorough
async def test_one_bad_node_spoils_no_other_and_has_its_code(driver):
    await driver.open()
    names = ["Temperature", "NoSuchNode", "Cycles"]
    addresses = [OpcUaAddress(at=f"s={name}", namespace=OVEN) for name in names]
    samples = await driver.read(driver.plan(addresses, {}))
    assert samples.values == [181.5, None, 42]
    assert driver.diagnose(driver.evidence).code == "E-OPCUA-NODE"


async def test_a_refused_connection_asks_for_the_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert "nothing listens at" in await failure(make_driver(free.getsockname()[1]))


async def test_an_unknown_host_is_called_that():
    driver = make_driver(1, url="opc.tcp://no-such-host.invalid")
    assert "host name in opc.tcp://no-such-host.invalid:4840 is unknown" in await failure(driver)


async def test_a_server_that_says_nothing_is_called_silent(relay):
    relay.silence()
    message = await failure(make_driver(relay.port, timeout="200ms"))
    assert "did not answer within 0.2 s" in message


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 64])
async def test_something_that_is_no_opc_ua_server_is_recognised(answer):
    async def talk(reader, writer):
        await reader.read(100)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        message = await failure(make_driver(server.sockets[0].getsockname()[1]))
    assert "check that an OPC UA server listens on this port" in message


async def test_a_server_without_anonymous_readers_says_what_to_allow(plant, driver):
    server = plant.first.server.iserver
    allowed, server.supported_tokens = server.supported_tokens, (ua.UserNameIdentityToken,)
    try:
        assert "does not admit anonymous readers" in await failure(driver)
    finally:
        server.supported_tokens = allowed


async def test_a_server_without_an_open_endpoint_says_what_to_allow(plant, driver):
    endpoint = plant.first.server.iserver.endpoints[0]
    mode, endpoint.SecurityMode = endpoint.SecurityMode, ua.MessageSecurityMode.SignAndEncrypt
    try:
        assert "accepts only encrypted connections" in await failure(driver)
    finally:
        endpoint.SecurityMode = mode


async def test_an_open_that_is_cancelled_leaves_nothing_behind(relay, plant):
    driver = make_driver(relay.port)
    for steps in range(0, 40, 4):
        opening = asyncio.ensure_future(driver.open())
        for _ in range(steps):
            await asyncio.sleep(0.0005)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        await driver.close()
    await until(lambda: plant.first.sessions == 0)
