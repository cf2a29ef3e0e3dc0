"""The steps of paho that are ours: still there to be replaced, and like its own."""

import asyncio
import getpass
from contextlib import asynccontextmanager

import paho.mqtt.client as paho
import pytest

from edge_agent.brokerclient import BrokerClient
from edge_agent.config.model import Mqtt
from edge_agent.mqtt import Session
from tests.rigs.mosquitto import mosquitto

OPEN = ("allow_anonymous true", f"user {getpass.getuser()}")


@asynccontextmanager
async def session(folder, version):
    async with mosquitto(folder, *OPEN) as port:
        opened = Session(Mqtt("127.0.0.1", port, client_id="gw"), version, ("will", b""))
        await opened.open()
        yield opened
        await opened.close()


async def acknowledgement(opened: Session, topic: str) -> tuple[int, int, str]:
    """Publish something; give what comes back for it, and its id."""
    heard = asyncio.get_running_loop().create_future()
    opened.on_ack = lambda *what: heard.set_result(what)
    wanted = opened.publish(topic, b"content")
    async with asyncio.timeout(10):
        mid, code, reason = await heard
    assert mid == wanted
    return mid, code, reason


def test_what_is_replaced_is_there():
    """Else paho is another one, and what stands for it here does nothing."""
    replaced = {name for name in vars(BrokerClient) if callable(getattr(BrokerClient, name))}
    assert replaced == {"_create_socket_connection", "_handle_pubackcomp"}
    assert {*replaced, "_do_on_publish"} <= vars(paho.Client).keys()


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_plain_acknowledgement_lets_a_message_go(tmp_path, version):
    async with session(tmp_path, version) as opened:
        assert await opened.subscribe("a")
        for _ in range(3):
            assert (await acknowledgement(opened, "a"))[1:] == (0, "")
        assert not opened._client._out_messages
        assert opened._client._inflight_messages == 0


async def test_an_acknowledgement_that_says_more_is_understood(tmp_path):
    async with session(tmp_path, "5") as opened:
        _, code, reason = await acknowledgement(opened, "nobody")
        assert (code, reason) == (0x10, "No matching subscribers")


async def test_an_acknowledgement_of_something_never_sent_is_passed_over(tmp_path):
    async with session(tmp_path, "5") as opened:
        opened.on_ack = lambda *what: pytest.fail(f"heard {what}")
        opened._client._in_packet["packet"] = b"\x77\x77"
        assert opened._client._handle_pubackcomp("PUBACK") == paho.MQTT_ERR_SUCCESS
