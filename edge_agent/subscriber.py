"""An ordinary MQTT subscriber, as a platform would be: paho in its own thread, a queue in ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.access import explain, password, tls_context
from edge_agent.brokerclient import BrokerClient
from edge_agent.config.model import Mqtt
from edge_agent.errors import BrokerUnavailable
from edge_agent.language import _

PATIENCE = 10.0  # seconds to connect and subscribe


class Message(NamedTuple):
    """What arrived. An empty payload clears a retained topic."""

    topic: str
    payload: bytes


class Subscriber:
    """Receives everything under a topic filter.

    Args:
        mqtt: How to reach the broker; its `client_id` is not used.
        topic_filter: What to receive.
        client_id: Where given, the broker keeps what arrives while we are away.
    """

    def __init__(self, mqtt: Mqtt, topic_filter: str, client_id: str = "") -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self._mqtt = mqtt
        self._filter = topic_filter
        self._loop = asyncio.get_running_loop()
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        self._client = self._make_client(client_id)

    async def open(self) -> None:
        """Connect and subscribe.

        Raises:
            BrokerUnavailable: The broker is not there, or refuses us.
        """
        host, port = self._mqtt.host, self._mqtt.port
        try:
            await asyncio.to_thread(self._connect)
            self._client.loop_start()
            await asyncio.wait_for(self._subscribed, PATIENCE)
        except (OSError, ValueError, TimeoutError, BrokerUnavailable) as error:
            reason = (
                explain(error)
                if str(error)
                else _("no answer within {patience:.0f} s").format(patience=PATIENCE)
            )
            raise BrokerUnavailable(
                _(
                    "the broker at {host}:{port} cannot be used: {reason}; check its "
                    "address, and that it runs"
                ).format(host=host, port=port, reason=reason)
            ) from error

    async def clear(self, topics: list[str]) -> None:
        """Remove what is retained on these topics.

        Raises:
            BrokerUnavailable: The broker is gone, so they stay.
        """
        if self._client.is_connected():
            sent = [self._client.publish(topic, b"", qos=1, retain=True) for topic in topics]
            waiting = (asyncio.to_thread(one.wait_for_publish, PATIENCE) for one in sent)
            await asyncio.gather(*waiting, return_exceptions=True)
            if all(one.is_published() for one in sent):
                return
        raise BrokerUnavailable(
            _(
                "the broker at {host}:{port} is gone; it may still retain {topics}: "
                "clear them there"
            ).format(host=self._mqtt.host, port=self._mqtt.port, topics=", ".join(topics))
        )

    async def close(self) -> None:
        """Leave the broker and end the thread."""
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def _connect(self) -> None:
        if self._mqtt.username is not None:
            self._client.username_pw_set(self._mqtt.username, password(self._mqtt))
        if self._mqtt.tls:
            self._client.tls_set_context(tls_context(self._mqtt))
        self._client.connect(self._mqtt.host, self._mqtt.port)

    def _make_client(self, client_id: str) -> Client:
        mqtt = self._mqtt
        client = BrokerClient(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=not client_id,
            transport="websockets" if mqtt.websocket_path is not None else "tcp",
        )
        if mqtt.websocket_path is not None:
            client.ws_set_options(path=mqtt.websocket_path)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    # paho calls these from its own thread.

    def _on_connect(
        self,
        client: Client,
        _data: Any,
        _flags: ConnectFlags,
        code: ReasonCode,
        _more: Properties | None,
    ) -> None:
        if code.is_failure:
            self._settle(
                BrokerUnavailable(_("it refuses the connection ({code})").format(code=code))
            )
        else:
            client.subscribe(self._filter, qos=1)

    def _on_subscribe(
        self,
        _client: Client,
        _data: Any,
        _mid: int,
        codes: list[ReasonCode],
        _more: Properties | None,
    ) -> None:
        failed = [code for code in codes if code.is_failure]
        problem = (
            _("it refuses the subscription to {filter} ({failed})").format(
                filter=self._filter, failed=failed[0]
            )
            if failed
            else ""
        )
        self._settle(BrokerUnavailable(problem) if failed else None)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        received = Message(message.topic, bytes(message.payload))
        self._loop.call_soon_threadsafe(self.messages.put_nowait, received)

    def _settle(self, problem: BrokerUnavailable | None) -> None:
        self._loop.call_soon_threadsafe(self._settle_here, problem)

    def _settle_here(self, problem: BrokerUnavailable | None) -> None:
        if self._subscribed.done():  # paho reconnected and subscribed again
            return
        if problem is None:
            self._subscribed.set_result(None)
        else:
            self._subscribed.set_exception(problem)


@asynccontextmanager
async def subscribe(
    mqtt: Mqtt, topic_filter: str, client_id: str = ""
) -> AsyncIterator[Subscriber]:
    """Subscribe for as long as the block lasts.

    Raises:
        BrokerUnavailable: The broker is not there, or refuses us.
    """
    subscriber = Subscriber(mqtt, topic_filter, client_id)
    try:
        await subscriber.open()
        yield subscriber
    finally:
        await subscriber.close()
