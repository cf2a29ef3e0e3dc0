"""The way to one server: socket, secure channel and session, kept alive until it is closed.

asyncua's client would reconnect, watch and recreate by itself; its steps are called one by one
instead, so that the poller alone decides about another try.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from datetime import datetime
from typing import Self

from asyncua import ua
from asyncua.client.ua_client import UaClientState
from asyncua.crypto.uacrypto import InvalidSignature as WrongSignature
from cryptography.exceptions import InvalidSignature

from edge_agent.driver import ConnectionLost
from edge_agent.language import _
from edge_agent_opcua import faults
from edge_agent_opcua.catalogue import Fault
from edge_agent_opcua.client import QuietClient
from edge_agent_opcua.config import OpcUaSettings
from edge_agent_opcua.discovery import endpoints_of
from edge_agent_opcua.protection import Protection, arrange, confirm, user_problem
from edge_agent_opcua.services import item, read, status_name
from edge_agent_opcua.users import User, user_of

SESSION_TIMEOUT_MS = 60_000
"""A session that could not be closed (power cut) blocks the server no longer than this."""
CLOSE_PATIENCE = 1.0
"""Seconds a server gets to answer CloseSession; a dead one must not delay the next try."""

WATCHDOG = 10.0
"""Seconds between looks whether the server still answers, at most."""

ALWAYS_FITS = 64
"""Bytes of a password that fit into one RSA block with any nonce; asyncua makes one block only."""

STATE = ua.ObjectIds.Server_ServerStatus_State

_CHANNEL_IS_OPEN = {UaClientState.CHANNEL_OPEN, UaClientState.CONNECTED}


class Channel:
    """One connection, from the socket to an active session.

    Attributes:
        client: asyncua's client; its session is active from `open` to `close`.
    """

    def __init__(self, settings: OpcUaSettings, url: str) -> None:
        self.client = _make_client(settings, url)
        self._settings = settings
        self._url = url
        self._protection: Protection | None = None
        self._alive: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, settings: OpcUaSettings, url: str | None = None) -> Self:
        """Connect, open a secure channel, create and activate a session.

        Args:
            settings: How to reach the server.
            url: Which of its urls; the first where it is left out.

        Raises:
            ConnectionLost: One of these failed; nothing stays open.
        """
        channel = cls(settings, url or settings.url)
        try:
            with channel._naming_failures():
                await channel._open()
        except BaseException:
            await channel.close()
            raise
        return channel

    def details(self) -> dict[str, str]:
        """Tell people which server it is, and how the session is protected."""
        protection = self._protection.details() if self._protection else {"security": "None"}
        return {"url": self._url, **protection}

    def concerns(self, now: datetime) -> list[str]:
        """Give what has to be done about certificates before long: keys of `faults.NOTICED`."""
        return self._protection.concerns(now) if self._protection else []

    async def _open(self) -> None:
        user = await asyncio.to_thread(self._read_user)
        self._protection = await arrange(self._settings, self._url)
        if self._protection is not None:
            await self._protect(self._protection)
        client = self.client
        await client.connect_socket()
        await client.send_hello()
        await self._open_secure_channel()
        await self._open_session(user)
        self._alive = asyncio.create_task(self._keep_alive())

    async def _open_session(self, user: User) -> None:
        client = self.client
        created = await client.create_session()
        if self._protection is not None:
            told = endpoints_of(self._url, created.ServerEndpoints)
            shown = client.security_policy.peer_certificate
            confirm(self._protection, self._settings, self._url, told, shown)
        await self._log_in(user)

    async def renew_session(self) -> None:
        """Close the session and create another one on the same connection.

        Raises:
            ConnectionLost: That failed; the channel can only be closed.
        """
        with self._naming_failures():
            user = await asyncio.to_thread(self._read_user)
            with contextlib.suppress(TimeoutError, ua.UaError):  # it ends by its timeout then
                async with asyncio.timeout(CLOSE_PATIENCE):
                    await self.client.uaclient.close_session(delete_subscriptions=True)
            await self._open_session(user)

    def _read_user(self) -> User:
        try:
            return user_of(self._settings)
        except (OSError, ValueError) as error:
            raise user_problem(self._url, error) from error

    async def _protect(self, protection: Protection) -> None:
        endpoint = protection.choice.endpoint
        self.client = client = _make_client(self._settings, endpoint.url)
        client.token = protection.choice.token
        own, server = protection.own, protection.server
        if own is not None and server is not None:
            await client.protect(endpoint, server, own)

    async def _open_secure_channel(self) -> None:
        try:
            await self.client.open_secure_channel()
        except (ConnectionError, AssertionError) as error:
            if not self._own:
                raise
            # Many servers say nothing to a stranger, and hang up.
            reason = _("it closed the connection")
            raise faults.lost(Fault.CLIENT_UNTRUSTED, self._url, reason, self._own) from error

    async def _log_in(self, user: User) -> None:
        client = self.client
        if user.certificate is None:
            try:
                await client.activate_session(username=user.name, password=user.password)
            except ValueError as error:
                if user.password is None or len(user.password.encode()) < ALWAYS_FITS:
                    raise
                reason = _("the password is too long to be encrypted for this server")
                raise faults.lost(Fault.SECRET_FILE, self._url, reason) from error
            return
        client.user_private_key = user.key
        client.user_certificate = user.certificate.parsed
        await client.activate_session(certificate=user.certificate.parsed)

    @property
    def _own(self) -> str:
        own = self._protection.own if self._protection else None
        return own.certificate.sha1 if own else ""

    @contextlib.contextmanager
    def _naming_failures(self) -> Iterator[None]:
        url = self._url
        try:
            yield
        except OSError as error:
            raise faults.unreachable(url, error, self._settings.timeout) from error
        except ua.UaStatusCodeError as error:
            name = status_name(error.code)
            raise faults.refused(self._settings, url, error.code, name, self._own) from error
        except (InvalidSignature, WrongSignature) as error:
            reason = _("it cannot prove that its certificate is its own")
            raise faults.lost(Fault.DOWNGRADE, url, reason) from error
        except ConnectionLost:
            raise
        # Anything may come out of asyncua's decoder: IndexError, struct.error, AttributeError ...
        # of bytes that are no OPC UA. Whatever it is, this server cannot be read now.
        except Exception as error:
            raise faults.strange(url, error) from error

    async def _keep_alive(self) -> None:
        """Keep session and channel valid between slow polls; the next request notices the end."""
        client, loop = self.client, asyncio.get_running_loop()
        lifetime = client.secure_channel_timeout / 1000
        pause = min(WATCHDOG, client.session_timeout / 3000, lifetime / 4)
        renewed = loop.time()
        with contextlib.suppress(Exception):  # asyncua's decoder lets out any
            while True:
                await asyncio.sleep(pause)
                await read(client, [item(STATE)])
                # Renew after 75 % at the latest. Source: OPC 10000-4, 5.5.2.1.
                if loop.time() - renewed >= lifetime / 2:
                    await client.open_secure_channel(renew=True)
                    client.uaclient.revolve_security_token()
                    renewed = loop.time()
        client.disconnect_socket()

    async def close(self) -> None:
        """Close session, secure channel and connection, as far as they are open."""
        if self._alive is not None:
            self._alive.cancel()
            await asyncio.gather(self._alive, return_exceptions=True)
        try:
            if self.client.uaclient.state in _CHANNEL_IS_OPEN:
                await self._take_leave()
        finally:
            self.client.disconnect_socket()
            await asyncio.sleep(0)  # the transport closes its socket in the loop's next round

    async def _take_leave(self) -> None:
        # Whatever goes wrong now, the link is given up; the server ends the session by timeout.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_PATIENCE):
                await self.client.close_session()
            await self.client.close_secure_channel()


def _make_client(settings: OpcUaSettings, url: str) -> QuietClient:
    client = QuietClient(url, settings.timeout)
    host = socket.gethostname()
    client.name = "edge-agent"
    client.description = f"edge-{host}"  # becomes the session's name on the server
    client.application_uri = f"urn:{host}:edge-agent"
    client.product_uri = "urn:edge-agent"
    client.session_timeout = SESSION_TIMEOUT_MS
    return client
