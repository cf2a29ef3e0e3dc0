"""Tries a broker: connect, publish one message, read it back; says in plain words what failed.

The trial has a client id of its own, so that it never pushes a running agent off the broker, and
a topic of its own; the message is not retained.
"""

import secrets
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.access import trusting
from edge_agent.brokerclient import BrokerClient
from edge_agent.language import _
from edge_agent.setup import certificate
from edge_agent.setup.broker_faults import (
    BrokerFault,
    LoginFault,
    UnknownIssuer,
    WrongName,
    certificate_fault,
    knock,
    refusal,
    unreachable,
)

PATIENCE = 5.0
"""Seconds to wait for each of the broker's answers."""


class Broker(NamedTuple):
    """How to reach a broker; the password stands in a file."""

    url: str
    username: str = ""
    password_file: str = ""
    ca_file: str = ""

    @property
    def host(self) -> str:
        """Its host name or address."""
        return urlsplit(self.url).hostname or ""

    @property
    def encrypted(self) -> bool:
        """Whether the connection uses TLS."""
        return urlsplit(self.url).scheme in {"mqtts", "wss"}


def look_at_certificate(url: str, ca_file: str) -> dict[str, Any]:
    """Find out whether name, port and encryption are right.

    Returns:
        `problem`: what is wrong, else empty; and `certificate`, as `certificate.fetch` gives it,
        where nothing is wrong, or only that nobody here knows the issuer: then it has to be shown
        and confirmed. Else None.
    """
    try:
        knock(url, ca_file, PATIENCE)
    except UnknownIssuer as fault:
        return _shown(url, str(fault))
    except WrongName as fault:
        return {"problem": _with_names(fault, url), "certificate": None}
    except BrokerFault as fault:
        return {"problem": str(fault), "certificate": None}
    return _shown(url, "")


def _with_names(fault: WrongName, url: str) -> str:
    """Say for which names a certificate is that is for another one."""
    shown = _shown(url, str(fault))["certificate"] or {"names": "", "subject": "?"}
    names = _("It is for: {names}").format(names=shown["names"] or shown["subject"])
    return f"{fault}\n{names}"


def _shown(url: str, problem: str) -> dict[str, Any]:
    """Fetch the certificate; what would not do whoever issued it is a fault."""
    try:
        return {"problem": problem, "certificate": certificate.fetch(url, PATIENCE)}
    except ssl.SSLCertVerificationError as error:
        return {"problem": str(certificate_fault(error, "")), "certificate": None}
    except OSError as error:
        return {"problem": str(unreachable(error, url)), "certificate": None}


def try_broker(broker: Broker, client_id: str, topic: str) -> dict[str, Any]:
    """Connect, publish to this topic and read back.

    Returns:
        `said`: what went well, one sentence each; `problem`: what failed, empty if nothing; and
        `login` where it is the user, the password or the rights that failed.
    """
    said: list[str] = []
    try:
        knock(broker.url, broker.ca_file, PATIENCE)
        trial = _connect(broker, client_id)
        said.append(_("Connected to {host}.").format(host=broker.host))
        try:
            trial.publish_and_read_back(topic)
        finally:
            trial.close()
        said.append(_("Published a test message and read it back."))
    except WrongName as fault:
        return {"said": said, "problem": _with_names(fault, broker.url)}
    except LoginFault as fault:
        return {"said": said, "problem": str(fault), "login": True}
    except BrokerFault as fault:
        return {"said": said, "problem": str(fault)}
    return {"said": said, "problem": ""}


def _connect(broker: Broker, client_id: str) -> "_Trial":
    """Connect with MQTT 5, or with 3.1.1 where the broker has only that."""
    for version in (MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311):
        trial = _Trial(broker, client_id, version)
        if trial.connect():
            return trial
    raise BrokerFault(
        _("Somebody hangs up at {url}. Is it a broker, does it want mqtts://?").format(
            url=broker.url
        )
    )


class _Trial:
    """One connection to a broker, driven from here without a thread."""

    def __init__(self, broker: Broker, client_id: str, version: MQTTProtocolVersion) -> None:
        self._broker, self._version = broker, version
        self._token = secrets.token_hex(8).encode()
        self._connack: ReasonCode | None = None
        self._suback: ReasonCode | None = None
        self._puback: ReasonCode | None = None
        self._came_back = False
        self._closed = False
        self._client = self._make(client_id)

    def _make(self, client_id: str) -> Client:
        parts = urlsplit(self._broker.url)
        sockets = parts.scheme in {"ws", "wss"}
        client = BrokerClient(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=self._version,
            transport="websockets" if sockets else "tcp",
            reconnect_on_failure=False,
        )
        if sockets:
            client.ws_set_options(path=parts.path or "/mqtt")
        client.connect_timeout = PATIENCE
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_subscribe, client.on_publish = self._on_subscribe, self._on_publish
        client.on_message = self._on_message
        return client

    def connect(self) -> bool:
        """Connect; False if the broker does not speak this version.

        Raises:
            BrokerFault: Anything else went wrong.
        """
        try:
            self._prepare()
            self._client.connect(self._broker.host, urlsplit(self._broker.url).port or 0)
        except (OSError, ValueError) as error:
            raise unreachable(error, self._broker.url) from error
        self._wait(lambda: self._connack)
        if self._connack is None:
            hung_up = self._closed
            self.close()
            if hung_up:
                return False  # brokers of old hang up on a version they do not know
            raise BrokerFault(
                _("{url} takes the connection, but does not answer. Is the port right?").format(
                    url=self._broker.url
                )
            )
        if self._connack.is_failure:
            self.close()
            return refusal(self._connack, self._broker.username)
        return True

    def _prepare(self) -> None:
        if self._broker.encrypted:
            self._client.tls_set_context(trusting(self._broker.ca_file))
        if self._broker.username:
            file = self._broker.password_file
            password = Path(file).read_text(encoding="utf-8").rstrip("\r\n") if file else None
            self._client.username_pw_set(self._broker.username, password)

    def publish_and_read_back(self, topic: str) -> None:
        """Subscribe, publish, and wait for the message.

        Raises:
            BrokerFault: One of it failed.
        """
        self._client.subscribe(topic, qos=1)
        self._wait(lambda: self._suback)
        if self._suback is None or self._suback.is_failure:
            raise LoginFault(
                _("Logged in, but reading {topic} is not allowed.").format(topic=topic)
            )
        self._client.publish(topic, self._token, qos=1)
        self._wait(lambda: self._puback)
        if self._puback is None or self._puback.is_failure:
            raise LoginFault(
                _("Logged in, but publishing to {topic} is not allowed.").format(topic=topic)
            )
        self._wait(lambda: self._came_back)
        if not self._came_back:
            raise LoginFault(
                _(
                    "Logged in and published, but the message did not come back: this user may "
                    "lack the right to publish to {topic}, or to read it."
                ).format(topic=topic)
            )

    def close(self) -> None:
        """Say goodbye and hang up."""
        self._client.disconnect()
        if not self._closed:
            self._client.loop(timeout=0.1)

    def _wait(self, done: Callable[[], object]) -> None:
        """Serve the connection until this is done, or patience or the connection ends."""
        deadline = time.monotonic() + PATIENCE
        while not done() and not self._closed and time.monotonic() < deadline:
            if self._client.loop(timeout=0.1) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._closed = True

    def _on_connect(self, client: Client, data: Any, flags: Any, reason: Any, more: Any) -> None:
        self._connack = reason

    def _on_disconnect(self, client: Client, data: Any, flags: Any, reason: Any, more: Any) -> None:
        self._closed = True

    def _on_subscribe(self, client: Client, data: Any, mid: int, reasons: Any, more: Any) -> None:
        self._suback = reasons[0]

    def _on_publish(self, client: Client, data: Any, mid: int, reason: Any, more: Any) -> None:
        self._puback = reason

    def _on_message(self, client: Client, data: Any, message: MQTTMessage) -> None:
        self._came_back = self._came_back or message.payload == self._token
