"""One connection to an MQTT broker: paho-mqtt driven by the event loop, without its own retries.

A `Session` lives from one CONNECT to the loss of that connection; then a new one is made, so an
acknowledgement can never be taken for a message of another connection.
"""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.access import explain, password, tls_context
from edge_agent.config.model import Mqtt
from edge_agent.errors import BrokerUnavailable
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


class Session:
    """One connection. Make it, `await open()`, publish, wait for `lost`, `await close()`.

    Args:
        settings: How to reach the broker.
        version: `5` or `3.1.1`.
        will: Topic and payload that the broker publishes, retained, when we vanish.
        on_ack: Called with message id, reason code and reason text of every acknowledgement.

    Attributes:
        version: The version of MQTT it speaks.
        receive_maximum: How many messages the broker takes in flight.
        largest: The largest packet it takes, in bytes.
        lost: Done when the connection is gone; its exception says why.
    """

    def __init__(
        self, settings: Mqtt, version: str, will: tuple[str, bytes], on_ack: OnAck
    ) -> None:
        self.version = version
        self.receive_maximum = UNLIMITED
        self.largest = LARGEST
        self._settings = settings
        self._on_ack = on_ack
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._writing = False
        self._closing = False
        self._client = self._make_client(version, will)

    @property
    def where(self) -> str:
        """Name the broker for messages."""
        return f"broker {self._settings.host}:{self._settings.port}"

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
                f"{self.where} does not answer within {CONNECT_SECONDS:.0f} s"
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

    def tick(self) -> None:
        """Send keep-alives and notice a peer that went silent; call about once a second."""
        self._guard(self._client.loop_misc)

    async def close(self) -> None:
        """Disconnect and release the socket; safe at any time."""
        self._closing = True
        with contextlib.suppress(OSError, ValueError):
            self._client.disconnect()
            self._client.loop_write()
        sock = self._client.socket()
        if sock is not None:
            self._socket_closed(self._client, None, sock)
            with contextlib.suppress(OSError):
                sock.close()
        self._client = self._blank_client()
        for future in (self.lost, self._connected):
            if future.done() and not future.cancelled():
                future.exception()  # seen; nobody may be waiting any more
            future.cancel()

    # --- connecting ----------------------------------------------------------------------------

    def _blank_client(self) -> paho.Client:
        return paho.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)

    def _make_client(self, version: str, will: tuple[str, bytes]) -> paho.Client:
        settings = self._settings
        client = paho.Client(
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
        client.on_socket_open = self._socket_opened
        client.on_socket_close = self._socket_closed
        client.on_socket_register_write = self._write_wanted
        client.on_socket_unregister_write = self._write_done
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
            raise BrokerUnavailable(f"{self.where}: {explain(error)}") from error

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
            return VersionUnsupported(f"{self.where} does not speak this version of MQTT")
        if reason.value in (0x86, 0x87):
            return NotAllowed(
                f"{self.where} refuses user {self._settings.username or '(none)'!r}: {reason}; "
                "check username and password_file under mqtt, and the account on the broker"
            )
        return BrokerUnavailable(f"{self.where} refuses the connection: {reason}")

    def _disconnected(
        self, _client: Any, _data: Any, flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        by = "closed by the broker" if flags.is_disconnect_packet_from_server else "connection lost"
        self._lose(f"{self.where}: {by} ({reason})")

    def _lose(self, why: str) -> None:
        if not self.lost.done():
            self.lost.set_exception(BrokerUnavailable(why))

    # --- running -------------------------------------------------------------------------------

    def _published(
        self, _client: Any, _data: Any, mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        self._on_ack(mid, reason.value, str(reason))

    def _guard(self, work: Callable[[], Any]) -> None:
        """Run a step of paho; whatever a strange broker makes it raise costs the connection."""
        try:
            work()
        except (OSError, ValueError, LookupError, TypeError, ArithmeticError) as error:
            self._lose(f"{self.where}: {type(error).__name__}: {error}")
        except Exception as error:  # noqa: BLE001 - paho raises bare exceptions on bad packets
            self._lose(f"{self.where} sent something wrong: {error}")

    def _readable(self) -> None:
        client = self._client
        self._guard(client.loop_read)
        while isinstance(sock := client.socket(), ssl.SSLSocket) and sock.pending():
            self._guard(client.loop_read)
            if self.lost.done():
                break

    def _writable(self) -> None:
        client = self._client
        self._guard(client.loop_write)
        sock = client.socket()
        if sock is not None and client.want_write() and not self._writing:
            self._writing = True
            self._loop.add_writer(sock, self._writable)

    # paho calls the following from the connecting thread or from the event loop

    def _in_loop(self, work: Callable[..., Any], *arguments: Any) -> None:
        if threading.get_ident() == self._loop_thread:
            work(*arguments)
        else:
            with contextlib.suppress(RuntimeError):  # the loop may be gone
                self._loop.call_soon_threadsafe(work, *arguments)

    def _socket_opened(self, _client: Any, _data: Any, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._in_loop(self._watch, sock)

    def _watch(self, sock: Any) -> None:
        if self._closing:
            sock.close()
        else:
            self._loop.add_reader(sock, self._readable)

    def _socket_closed(self, _client: Any, _data: Any, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
        self._writing = False

    def _write_wanted(self, _client: Any, _data: Any, _sock: Any) -> None:
        # Not add_writer: what is published in one turn of the loop goes out together after it.
        if threading.get_ident() == self._loop_thread:
            self._loop.call_soon(self._writable)
        else:
            self._in_loop(self._writable)

    def _write_done(self, _client: Any, _data: Any, sock: Any) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(sock)


def too_large(session: Session, topic: str, payload: bytes) -> bool:
    """Tell whether the broker would refuse a message for its size (packet head included)."""
    return len(topic) + len(payload) + 16 > session.largest
