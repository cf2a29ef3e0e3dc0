import asyncio
import socket

import pytest
from asyncua import ua

from edge_agent.driver import ConnectionLost
from tests.rigs.opcua_plant import make_driver
from tests.rigs.until import until


async def failure(driver):
    with pytest.raises(ConnectionLost) as caught:
        await driver.open()
    await driver.close()
    return str(caught.value)


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
