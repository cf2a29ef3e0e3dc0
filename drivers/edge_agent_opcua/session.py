"""One session with one OPC UA server, and what the server says in it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from asyncua import Client, ua

from edge_agent.driver import ConnectionLost, Sample
from edge_agent.language import _
from edge_agent_opcua import faults
from edge_agent_opcua.address import OpcUaAddress
from edge_agent_opcua.channel import Channel
from edge_agent_opcua.config import OpcUaSettings
from edge_agent_opcua.nodes import Paths
from edge_agent_opcua.reading import Reader
from edge_agent_opcua.services import item, plain, read, status_name

_BUILD = {
    "maker": ua.ObjectIds.Server_ServerStatus_BuildInfo_ManufacturerName,
    "model": ua.ObjectIds.Server_ServerStatus_BuildInfo_ProductName,
    "version": ua.ObjectIds.Server_ServerStatus_BuildInfo_SoftwareVersion,
    "build": ua.ObjectIds.Server_ServerStatus_BuildInfo_BuildNumber,
}
"""Who a server is. Source: OPC 10000-5, 12.4 (BuildInfo)."""


class Session:
    """A session, from CreateSession to CloseSession, and what the server said in it."""

    def __init__(self, settings: OpcUaSettings, url: str) -> None:
        self._settings = settings
        self._url = url
        self._timeout = settings.timeout
        self._channel: Channel | None = None
        self._reader: Reader | None = None
        self._in_use = asyncio.Lock()  # nothing is read while the session is made anew

    async def open(self) -> None:
        """Open a channel and a session, and ask for namespaces and limits.

        Raises:
            ConnectionLost: One of these failed; nothing stays open.
        """
        self._channel = await Channel.open(self._settings, self._url)
        try:
            self._reader = await Reader.ready(self._channel.client)
        except (OSError, ua.UaStatusCodeError) as error:
            await self.close()
            raise self.lost(error) from error
        except BaseException:
            await self.close()
            raise

    def details(self) -> dict[str, str]:
        """Tell people which server it is, and how the session is protected."""
        return self._channel.details() if self._channel else {}

    def concerns(self, now: datetime) -> list[str]:
        """Give what has to be done about certificates before long: keys of `faults.NOTICED`."""
        return self._channel.concerns(now) if self._channel else []

    async def renew(self) -> None:
        """Have another session on the same connection; all nodes are looked up anew in it.

        Raises:
            ConnectionLost: That failed; it can only be closed.
        """
        async with self._in_use:
            channel = self._live()
            await channel.renew_session()
            try:
                self._reader = await Reader.ready(channel.client)
            except (OSError, ua.UaStatusCodeError) as error:
                raise self.lost(error) from error

    def _live(self) -> Channel:
        if self._channel is None:
            raise faults.ended(self._url, _("it was closed"))
        return self._channel

    @property
    def client(self) -> Client:
        """Give asyncua's client.

        Raises:
            ConnectionLost: There is no session.
        """
        return self._live().client

    @property
    def reader(self) -> Reader:
        """Give what turns addresses into samples.

        Raises:
            ConnectionLost: There is no session.
        """
        if self._reader is None:
            raise faults.ended(self._url, _("it was closed"))
        return self._reader

    def lost(self, error: OSError | ua.UaError) -> ConnectionLost:
        """Say why the session is over."""
        if isinstance(error, TimeoutError):
            return faults.silent(self._url, self._timeout)
        if isinstance(error, ua.UaStatusCodeError):
            return faults.ended(self._url, status_name(error.code))
        return faults.ended(self._url, str(error))

    async def read(
        self, addresses: Sequence[OpcUaAddress], learnt: Paths
    ) -> tuple[list[Sample], Paths]:
        """Read nodes: one sample per address, in order, and the browse paths that are new.

        Raises:
            ConnectionLost: The session is over.
        """
        async with self._in_use:
            reader = self.reader
            try:
                samples = await reader.read(addresses, learnt)
                return samples, await reader.nodes.learn(addresses, learnt)
            except (OSError, ua.UaStatusCodeError) as error:
                raise self.lost(error) from error

    async def identify(self) -> dict[str, str]:
        """Ask which product the server is; what it does not say is left out.

        Raises:
            ConnectionLost: The session is over.
        """
        async with self._in_use:
            try:
                found = await read(self.client, [item(node) for node in _BUILD.values()])
            except (OSError, ua.UaError) as error:
                raise self.lost(error) from error
        told = {key: plain(value) for key, value in zip(_BUILD, found, strict=True)}
        return {key: text for key, text in told.items() if isinstance(text, str) and text}

    async def close(self) -> None:
        """Close the session and all below it."""
        channel, self._channel = self._channel, None
        self._reader = None
        if channel is not None:
            await channel.close()
