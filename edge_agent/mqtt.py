"""One connection to an MQTT broker: paho-mqtt driven by the event loop, without its own retries.

A `Session` lives from one CONNECT to the loss of that connection; then a new one is made, so an
acknowledgement can never be taken for a message of another connection.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.access import explain, is_too_early, password, tls_context
from edge_agent.brokerclient import BrokerClient
from edge_agent.config.model import Mqtt
from edge_agent.errors import BrokerUnavailable
from edge_agent.language import _
from edge_agent.pump import Pump
from edge_agent.threads import in_daemon_thread

KEEP_ALIVE = 30  # seconds
CONNECT_SECONDS = 10.0  # for name, TCP, TLS and the broker's consent together
UNLIMITED = 65_535  # Receive Maximum when the broker names none (MQTT 5, 3.2.2.3.3)
LARGEST = 268_435_455  # largest packet of the protocol (MQTT 5, 1.5.5)
VERSIONS = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}
UNSUPPORTED_VERSION = 0x84

# mosquitto acknowledges a message above its message_size_limit with 0x95, a code that MQTT 5 does
# not have there; paho would take that for a protocol error and drop the connection for ever.
ReasonCode.names = {
    **ReasonCode.names,
    0x95: {"Packet too large": [PacketTypes.CONNACK, PacketTypes.DISCONNECT, PacketTypes.PUBACK]},
}

OnAck = Callable[[int, int, str], None]


class VersionUnsupported(BrokerUnavailable):
    """The broker said that it does not speak this version of MQTT."""


class NotAllowed(BrokerUnavailable):
    """The broker does not let us in, or does not let us publish: it must be changed there."""


class TooEarly(BrokerUnavailable):
    """The broker's certificate is not valid yet on this gateway's date, which may be wrong."""


class Session:
    """One connection. Make it, `await open()`, publish, wait for `lost`, `await close()`.

    Args:
        settings: How to reach the broker.
        version: `5` or `3.1.1`.
        will: Topic and payload that the broker publishes, retained, when we vanish.

    Attributes:
        on_ack: Called with message id, reason code and reason text of every acknowledgement; a
            plain success has no text.
        version: The version of MQTT it speaks.
        receive_maximum: How many messages the broker takes in flight.
        largest: The largest packet it takes, in bytes.
        lost: Done when the connection is gone; its exception says why.
        received: Topic and payload of everything that came on what was subscribed to.
    """

    def __init__(self, settings: Mqtt, version: str, will: tuple[str, bytes]) -> None:
        self.on_ack: OnAck = lambda *_: None
        self.version = version
        self.receive_maximum = UNLIMITED
        self.largest = LARGEST
        self._settings = settings
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.received: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self._connected: asyncio.Future[None] = loop.create_future()
        self._granted: dict[int | None, asyncio.Future[bool]] = {}
        self._client = self._make_client(version, will)
        self._pump = Pump(self._client, self._failed)

    @property
    def where(self) -> str:
        """Name the broker for messages."""
        return _("broker {host}:{port}").format(host=self._settings.host, port=self._settings.port)

    # --- life ----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect and wait for the broker's consent.

        Raises:
            BrokerUnavailable: It did not come to that; the message says why and what to do.
        """
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await in_daemon_thread(self._connect, "mqtt-connect")
                await asyncio.wait(
                    (self._connected, self.lost), return_when=asyncio.FIRST_COMPLETED
                )
        except TimeoutError:
            raise BrokerUnavailable(
                _("{where} does not answer within {connect_seconds:.0f} s").format(
                    where=self.where, connect_seconds=CONNECT_SECONDS
                )
            ) from None
        if self._connected.done():
            self._connected.result()
        else:
            self.lost.result()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Hand a message to the connection with QoS 1 and give its message id.

        Raises:
            BrokerUnavailable: The connection cannot take it.
        """
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise BrokerUnavailable(f"{self.where}: {paho.error_string(info.rc)}")
        return info.mid

    def subscribe(self, topic: str) -> asyncio.Future[bool]:
        """Ask for what arrives on a topic; the future tells whether the broker grants it."""
        _, mid = self._client.subscribe(topic, qos=0)
        granted = self._granted[mid] = asyncio.get_running_loop().create_future()
        return granted

    def tick(self) -> None:
        """Send keep-alives and notice a peer that went silent; call about once a second."""
        self._pump.tick()

    async def close(self) -> None:
        """Disconnect and release the socket; safe at any time."""
        with contextlib.suppress(OSError, ValueError):
            self._client.disconnect()
        self._pump.stop()
        self._client = self._blank_client()
        for granted in self._granted.values():
            granted.cancel()
        for future in (self.lost, self._connected):
            if future.done() and not future.cancelled():
                future.exception()  # seen; nobody may be waiting any more
            future.cancel()

    # --- connecting ----------------------------------------------------------------------------

    def _blank_client(self) -> paho.Client:
        return paho.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)

    def _make_client(self, version: str, will: tuple[str, bytes]) -> paho.Client:
        settings = self._settings
        client = BrokerClient(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            protocol=VERSIONS[version],
            transport="websockets" if settings.websocket_path is not None else "tcp",
            reconnect_on_failure=False,
            clean_session=None if version == "5" else True,
        )
        if settings.websocket_path is not None:
            client.ws_set_options(path=settings.websocket_path or "/")
        client.connect_timeout = CONNECT_SECONDS
        client.max_inflight_messages_set(0)  # the window is ours
        client.max_queued_messages_set(0)
        client.will_set(will[0], will[1], qos=1, retain=True)
        client.on_connect = self._answered
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_subscribe = self._answered_subscription
        client.on_message = self._message_received
        return client

    def _connect(self) -> None:
        """Do what blocks: files, name lookup, TCP and TLS. Runs in a thread."""
        settings = self._settings
        client = self._client
        try:
            if settings.username is not None:
                client.username_pw_set(settings.username, password(settings))
            if settings.tls:
                client.tls_set_context(tls_context(settings))
            client.connect(settings.host, settings.port, KEEP_ALIVE)
        except (OSError, ValueError) as error:
            kind = TooEarly if is_too_early(error) else BrokerUnavailable
            raise kind(f"{self.where}: {explain(error)}") from error

    def _answered(
        self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        if self._connected.done():
            return
        if reason.is_failure:
            self._connected.set_exception(self._refusal(reason))
            return
        self.receive_maximum = getattr(properties, "ReceiveMaximum", UNLIMITED)
        self.largest = getattr(properties, "MaximumPacketSize", LARGEST)
        self._connected.set_result(None)

    def _refusal(self, reason: ReasonCode) -> BrokerUnavailable:
        if reason.value == UNSUPPORTED_VERSION:
            return VersionUnsupported(
                _("{where} does not speak this version of MQTT").format(where=self.where)
            )
        if reason.value in (0x86, 0x87):
            return NotAllowed(
                _(
                    "{where} refuses user {username!r}: {reason}; check username and "
                    "password_file under mqtt, and the account on the broker"
                ).format(
                    where=self.where, username=self._settings.username or "(none)", reason=reason
                )
            )
        return BrokerUnavailable(
            _("{where} refuses the connection: {reason}").format(where=self.where, reason=reason)
        )

    def _disconnected(
        self, _client: Any, _data: Any, flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if self._pump.alert is not None:
            self._lose(explain(self._pump.alert))
            return
        by = (
            _("closed by the broker")
            if flags.is_disconnect_packet_from_server
            else _("connection lost")
        )
        self._lose(f"{by} ({reason})")

    def _failed(self, error: Exception) -> None:
        """Give up a connection on which the broker made paho raise something."""
        self._lose(
            _("the broker sent something wrong ({kind}: {error})").format(
                kind=type(error).__name__, error=error
            )
        )

    def _lose(self, why: str) -> None:
        if not self.lost.done():
            self.lost.set_exception(BrokerUnavailable(f"{self.where}: {why}"))

    # --- running -------------------------------------------------------------------------------

    def _published(
        self, _client: Any, _data: Any, mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        code = reason.value
        self.on_ack(mid, code, str(reason) if code else "")  # paho looks a name up in two tables

    def _answered_subscription(
        self, _client: Any, _data: Any, mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        granted = self._granted.pop(mid, None)
        if granted is not None and not granted.done():
            granted.set_result(not any(reason.is_failure for reason in reasons))

    def _message_received(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self.received.put_nowait((message.topic, bytes(message.payload)))
