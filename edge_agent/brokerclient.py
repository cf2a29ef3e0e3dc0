"""paho's client with two of its steps made ours; both are private to it, and tests look at them."""

import socket
from typing import Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.websocket import PlainSocket

_PLAIN = 2  # bytes of a PUBACK that says nothing but success: its id (MQTT 5, 3.4.2.1)
_SUCCESS = ReasonCode(PacketTypes.PUBACK)
_NOTHING = Properties(PacketTypes.PUBACK)  # type: ignore[no-untyped-call]  # paho's


class BrokerClient(paho.Client):
    """Speaks through WebSockets also to those who do not, and takes an acknowledgement cheaply.

    For each PUBACK paho builds two tables of some thirty entries, to say that there is nothing in
    it. If a later paho has no such step, this one is never taken and its own is.
    """

    def _create_socket_connection(self) -> socket.socket:
        opened: socket.socket = super()._create_socket_connection()
        if self.transport != "websockets":
            return opened  # every packet is three calls of its `recv`
        ours = PlainSocket(fileno=opened.detach())
        ours.settimeout(self._connect_timeout)
        return ours

    def _handle_pubackcomp(self, cmd: Literal["PUBACK", "PUBCOMP"]) -> MQTTErrorCode:
        packet = self._in_packet["packet"]
        if cmd != "PUBACK" or len(packet) != _PLAIN:
            return super()._handle_pubackcomp(cmd)
        mid = int.from_bytes(packet, "big")
        with self._out_message_mutex:
            if mid in self._out_messages:
                return self._do_on_publish(mid, _SUCCESS, _NOTHING)
        return MQTTErrorCode.MQTT_ERR_SUCCESS
