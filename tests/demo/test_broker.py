"""The embedded broker and the subscriber, over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge_agent.config.model import Mqtt
from edge_agent.demo import broker, ports
from edge_agent.errors import BrokerUnavailable
from edge_agent.subscriber import Message, Subscriber, subscribe


@pytest.fixture
async def mqtt() -> AsyncIterator[Mqtt]:
    async with broker.serve(0) as port:
        yield Mqtt(ports.HOST, port, "edge-test")


async def next_message(subscriber: Subscriber) -> Message:
    return await asyncio.wait_for(subscriber.messages.get(), 30)


def publish(subscriber: Subscriber, topic: str, payload: bytes, *, retain: bool = False) -> None:
    subscriber._client.publish(topic, payload, qos=1, retain=retain)


async def test_what_is_published_arrives_in_order(mqtt: Mqtt) -> None:
    async with subscribe(mqtt, "edge/v1/x/#") as subscriber:
        for number in range(50):
            publish(subscriber, "edge/v1/x/y/data", b"%d" % number)
        arrived = [await next_message(subscriber) for _ in range(50)]
    assert arrived == [Message("edge/v1/x/y/data", b"%d" % number) for number in range(50)]


async def test_only_what_was_subscribed_arrives(mqtt: Mqtt) -> None:
    async with subscribe(mqtt, "edge/v1/x/#") as subscriber:
        publish(subscriber, "other/topic", b"no")
        publish(subscriber, "edge/v1/x/y/data", b"yes")
        assert (await next_message(subscriber)).payload == b"yes"


async def test_retained_messages_greet_a_new_subscriber_until_they_are_cleared(mqtt: Mqtt) -> None:
    async with subscribe(mqtt, "edge/#") as first:
        publish(first, "edge/a/meta", b"{}", retain=True)
        await next_message(first)
        async with subscribe(mqtt, "edge/#") as second:
            assert await next_message(second) == Message("edge/a/meta", b"{}")
            await second.clear(["edge/a/meta"])
            while (await next_message(second)).payload:  # amqtt may greet twice
                pass
        async with subscribe(mqtt, "edge/#") as third:
            publish(third, "edge/b/data", b"1")
            assert (await next_message(third)).topic == "edge/b/data"


async def test_a_broker_that_is_not_there_is_one_sentence() -> None:
    with socket.socket() as unused:
        unused.bind((ports.HOST, 0))
        port = unused.getsockname()[1]
        with pytest.raises(BrokerUnavailable, match=f"{ports.HOST}:{port} cannot be used"):
            async with subscribe(Mqtt(ports.HOST, port, "edge-test"), "#"):
                pass


@pytest.mark.thorough
async def test_topics_that_cannot_be_cleared_are_named() -> None:
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(broker.serve(0))
        async with subscribe(Mqtt(ports.HOST, port, "edge-test"), "#") as subscriber:
            gone = asyncio.Event()
            loop = asyncio.get_running_loop()
            subscriber._client.on_disconnect = lambda *_: loop.call_soon_threadsafe(gone.set)
            await stack.aclose()
            await asyncio.wait_for(gone.wait(), 30)
            with pytest.raises(BrokerUnavailable, match="may still retain edge/a/meta"):
                await subscriber.clear(["edge/a/meta"])


async def test_the_broker_leaves_no_task_and_no_socket_behind() -> None:
    tasks = asyncio.all_tasks()
    async with broker.serve(0) as port, subscribe(Mqtt(ports.HOST, port, "edge-test"), "#"):
        pass
    assert asyncio.all_tasks() == tasks
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(ports.HOST, port)


@pytest.mark.thorough
async def test_a_client_of_mqtt_5_is_told_at_once_that_only_3_1_1_is_spoken(mqtt: Mqtt) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    client = Client(CallbackAPIVersion.VERSION2, "five", protocol=MQTTProtocolVersion.MQTTv5)
    client.will_set("edge/v1/x/_agent/status", b"{}", qos=1, retain=True)
    client.on_connect = lambda *words: loop.call_soon_threadsafe(told.put_nowait, str(words[3]))
    await asyncio.to_thread(client.connect, mqtt.host, mqtt.port)
    client.loop_start()
    try:
        assert await asyncio.wait_for(told.get(), 30) == "Unsupported protocol version"
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)


async def test_a_client_that_speaks_something_else_disturbs_nobody(mqtt: Mqtt) -> None:
    _, writer = await asyncio.open_connection(mqtt.host, mqtt.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    async with subscribe(mqtt, "a/#") as subscriber:
        publish(subscriber, "a/b", b"1")
        assert (await next_message(subscriber)).payload == b"1"
    writer.close()
    await writer.wait_closed()
