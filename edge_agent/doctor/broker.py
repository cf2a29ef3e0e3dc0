"""The way to the broker, step by step: name, TCP, TLS, login, and one message acknowledged.

The trial has a client id of its own, so that it never pushes the running agent off the broker. Its
one message goes to `ROOT/_agent/doctor`, is not retained, and holds nothing but a time; whoever
follows readings passes over it.
"""

import asyncio
import contextlib
import dataclasses
import ipaddress
import os
import secrets
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from edge_agent import payload
from edge_agent.access import explain, tls_context, trusting
from edge_agent.config.model import Mqtt
from edge_agent.doctor.files import stored
from edge_agent.doctor.finding import Finding, Findings, Unseen, fail, fine, warn
from edge_agent.doctor.gateway import Gateway
from edge_agent.doctor.validity import validities
from edge_agent.errors import BrokerUnavailable
from edge_agent.language import _, later, parted
from edge_agent.mqtt import NotAllowed, Session, VersionUnsupported
from edge_agent.puback import NO_SUBSCRIBER
from edge_agent.secrecy import exposed

TOPIC = "_agent/doctor"
PATIENCE = 5.0  # seconds for each step
SOON = timedelta(days=30)
REFUSED = 0x80  # reason codes from here on are failures. Source: MQTT 5.0, 2.4
WRONG_NAME = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, IP_ADDRESS. Source: x509_vfy.h


class Stopped(Exception):  # noqa: N818 - named after what happened
    """A step failed, so that those behind it cannot be tried."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


def check(gateway: Gateway) -> Findings:
    """Go the way to the broker as far as it goes."""
    if gateway.config is None:
        yield Unseen(later("broker"), _("without a valid configuration it is not known"))
        return
    mqtt = gateway.config.mqtt
    try:
        yield _name(mqtt)
        with _reached(mqtt) as link:
            yield fine(
                later("broker: TCP"),
                _("{address}, port {port} answers").format(
                    address=link.getpeername()[0], port=mqtt.port
                ),
            )
            mine = _as_seen_from_here(gateway, mqtt)
            if mqtt.tls:
                nameless = dataclasses.replace(mqtt, cert_file=None, key_file=None)
                yield _tls(nameless if isinstance(mine, Unseen) else mine, link)
        if isinstance(mine, Unseen):
            yield mine
            return
        root = payload.root(gateway.config.agent.site, gateway.config.agent.id)
        yield from asyncio.run(_trial(mine, f"{root}/{TOPIC}"))
    except Stopped as stopped:
        yield stopped.finding


def _failed(subject: str, error: Exception, code: str) -> Stopped:
    what, action = parted(explain(error))
    return Stopped(fail(subject, what, action or _("see the broker's log"), code))


def _name(mqtt: Mqtt) -> Finding:
    subject = later("broker: name")
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(mqtt.host)
        return fine(subject, _("{host} is an address").format(host=mqtt.host))
    try:
        found = socket.getaddrinfo(mqtt.host, mqtt.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _failed(subject, error, "D-BROKER-NAME") from error
    addresses = dict.fromkeys(str(one[4][0]) for one in found)
    return fine(
        subject,
        _("{host} resolves to {addresses}").format(host=mqtt.host, addresses=", ".join(addresses)),
    )


@contextlib.contextmanager
def _reached(mqtt: Mqtt) -> Any:
    try:
        link = socket.create_connection((mqtt.host, mqtt.port), PATIENCE)
    except OSError as error:
        raise _failed(later("broker: TCP"), error, "D-BROKER-TCP") from error
    with link:
        yield link


# --- TLS -----------------------------------------------------------------------------------------


def _tls(mqtt: Mqtt, link: socket.socket) -> Finding:
    subject = later("broker: TLS")
    try:
        context = tls_context(mqtt)
        context.sslsocket_class = ssl.SSLSocket
        with context.wrap_socket(link, server_hostname=mqtt.host) as secure:
            return _certificate(subject, secure.version() or "", secure.getpeercert() or {})
    except ssl.SSLCertVerificationError as error:
        stopped = _failed(subject, error, "D-BROKER-CERT")
        if shown := _shown(mqtt, by_chain=error.verify_code in WRONG_NAME):
            finding = stopped.finding
            stopped.finding = finding._replace(
                what=_("{what}; it is {shown}").format(what=finding.what, shown=shown)
            )
        raise stopped from error
    except OSError as error:
        raise _failed(subject, error, "D-BROKER-TLS") from error


def _certificate(subject: str, version: str, shown: dict[str, Any]) -> Finding:
    last = datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC)
    what = _("{version}, its certificate is {shown}, until {last:%Y-%m-%d}").format(
        version=version, shown=_names(shown), last=last
    )
    if last - datetime.now(UTC) < SOON:
        action = _("tell its owner: the agent will not connect when it has ended")
        return warn(subject, what, action, "D-BROKER-CERT-ENDS")
    return fine(subject, what)


def _names(shown: dict[str, Any]) -> str:
    names = [value for _kind, value in shown.get("subjectAltName", ())]
    return _("for {names}").format(names=", ".join(names[:4])) if names else _("for no name")


def _shown(mqtt: Mqtt, *, by_chain: bool) -> str:
    """Look, on a connection over which nothing is said, at what was not accepted."""
    context = trusting(mqtt.ca_file)
    context.check_hostname = False
    if not by_chain:
        context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((mqtt.host, mqtt.port), PATIENCE) as link,
            context.wrap_socket(link, server_hostname=mqtt.host) as secure,
        ):
            if by_chain:
                return _names(secure.getpeercert() or {})
            [one] = validities(secure.getpeercert(binary_form=True) or b"")
            return _("valid from {first:%Y-%m-%d} to {last:%Y-%m-%d}").format(
                first=one.first, last=one.last
            )
    except (OSError, ValueError):
        return ""


# --- login and message ---------------------------------------------------------------------------


def _as_seen_from_here(gateway: Gateway, mqtt: Mqtt) -> Mqtt | Unseen:
    """Let secrets be read from where we see them; systemd shows them to the service alone."""
    changed: dict[str, Any] = {}
    for key in ("password_file", "key_file"):
        file = getattr(mqtt, key)
        if file is None:
            continue
        readable = next(filter(_is_readable, (file, stored(gateway, file))), None)
        if readable is None:
            return Unseen(
                later("broker: login"), _("this user cannot read mqtt.{key}").format(key=key)
            )
        if what := exposed(readable):
            what, _mark, action = f"{readable} {what}".partition(": ")
            raise Stopped(fail(later("broker: login"), what, action, "D-SECRET-EXPOSED"))
        changed[key] = readable
    return dataclasses.replace(mqtt, client_id=f"edge-doctor-{secrets.token_hex(4)}", **changed)


def _is_readable(file: Path) -> bool:
    return os.access(file, os.R_OK)


async def _trial(mqtt: Mqtt, topic: str) -> list[Finding | Unseen]:
    session = await _login(mqtt, topic)
    try:
        said: Finding = fine(
            later("broker: login"), _("accepted, MQTT {version}").format(version=session.version)
        )
        return [said, await _message(session, topic)]
    finally:
        await session.close()


async def _login(mqtt: Mqtt, topic: str) -> Session:
    for version in ("5", "3.1.1"):
        # The will only clears what is never there: nothing is left behind if we vanish.
        session = Session(mqtt, version, will=(topic, b""))
        try:
            await session.open()
        except VersionUnsupported:
            await session.close()
        except BrokerUnavailable as error:
            await session.close()
            refused = isinstance(error, NotAllowed)
            raise _lost(later("broker: login"), error, refused=refused) from error
        else:
            return session
    what = _("it speaks neither MQTT 5 nor 3.1.1")
    raise Stopped(
        fail(later("broker: login"), what, _("check the port in mqtt.url"), "D-BROKER-LOGIN")
    )


def _lost(subject: str, error: BrokerUnavailable, *, refused: bool) -> Stopped:
    what, action = parted(str(error))
    code = "D-BROKER-USER" if refused else "D-BROKER-LOGIN"
    return Stopped(fail(subject, what, action or _("see the broker's log"), code))


async def _message(session: Session, topic: str) -> Finding:
    subject = later("broker: message")
    answered: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
    session.on_ack = lambda _mid, code, reason: answered.set_result((code, reason))
    began = time.monotonic()
    session.publish(topic, msgspec.json.encode({"v": 1, "ts": time.time_ns() // 1_000_000}))
    await asyncio.wait(
        (answered, session.lost), timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED
    )
    if not answered.done():
        what = _("a message on {topic} is not acknowledged").format(topic=topic)
        action = _(
            "allow our user to publish below this gateway's topics, and see the broker's log"
        )
        return fail(subject, what, action, "D-BROKER-SILENT")
    code, reason = answered.result()
    if code >= REFUSED:
        what = _("it refuses a message on {topic} ({reason})").format(topic=topic, reason=reason)
        action = _("allow our user to publish on {topic}# at the broker").format(
            topic=topic.removesuffix(TOPIC)
        )
        return fail(subject, what, action, "D-BROKER-PUBLISH")
    took = _("acknowledged after {time:.0f} ms").format(time=(time.monotonic() - began) * 1000)
    if session.version != "5":
        return fine(
            subject, _("{took}; MQTT 3.1.1 cannot say whether it is passed on").format(took=took)
        )
    return fine(subject, took + (_(", nobody subscribes") if code == NO_SUBSCRIBER else ""))
