"""What a server says of itself before anybody logs in: GetEndpoints and FindServers."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple, TypeVar

from asyncua import ua

from edge_agent_opcua import faults
from edge_agent_opcua.client import MODES, TOKEN_TYPES, QuietClient
from edge_agent_opcua.config import OpcUaSettings
from edge_agent_opcua.endpoints import Endpoint, Token, policy_name, url_that_works
from edge_agent_opcua.services import status_name

T = TypeVar("T")


class Application(NamedTuple):
    """A server that answers for itself, or that a discovery server knows.

    Attributes:
        name: What people call it.
        uri: What its certificate must carry.
        urls: Where it is asked for its endpoints, with the host that worked.
    """

    name: str
    uri: str
    urls: tuple[str, ...]


async def find_endpoints(url: str, patience: float) -> list[Endpoint]:
    """Ask for the endpoints, over a channel without security, as OPC UA has it.

    Nothing of the answer can be relied upon before a session has confirmed it.

    Raises:
        OSError: There is no connection, or no answer in time (TimeoutError).
        ua.UaError: The server refuses, or is none.
    """
    client = QuietClient(url, patience)
    return endpoints_of(url, await _ask(client, client.get_endpoints))


def endpoints_of(url: str, found: list[ua.EndpointDescription] | None) -> list[Endpoint]:
    """Take over what asyncua found; the host that worked stands in place of the server's own."""
    return [_endpoint(url, each) for each in found or () if each.SecurityMode in MODES]


async def find_applications(url: str, patience: float) -> list[Application]:
    """Ask which servers there are; the answer of a server that cannot tell is empty.

    Raises:
        OSError: There is no connection, or no answer in time (TimeoutError).
    """
    client = QuietClient(url, patience)
    with suppress(ua.UaError, AssertionError):
        found = await _ask(client, client.find_servers)
        return [_application(url, each) for each in found or ()]
    return []


async def explore(url: str, patience: float) -> tuple[list[Endpoint], list[Application]]:
    """Ask a server for everything it says before anybody logs in.

    Raises:
        ConnectionLost: It cannot be asked.
    """
    try:
        return await find_endpoints(url, patience), await find_applications(url, patience)
    except OSError as error:
        raise faults.unreachable(url, error, patience) from error
    except ua.UaStatusCodeError as error:
        name = status_name(error.code)
        raise faults.refused(OpcUaSettings(url=url), url, error.code, name) from error
    # Anything may come out of asyncua's decoder: IndexError, struct.error, AttributeError ... of
    # bytes that are no OPC UA, and people have to be told which port does not speak it.
    except Exception as error:
        raise faults.strange(url, error) from error


async def _ask(client: QuietClient, question: Callable[[], Awaitable[T]]) -> T:
    try:
        await client.connect_socket()
        await client.send_hello()
        await client.open_secure_channel()
        answer = await question()
        with suppress(Exception):
            await client.close_secure_channel()
    finally:
        client.disconnect_socket()
        await asyncio.sleep(0)  # the transport closes its socket in the loop's next round
    return answer


def _endpoint(url: str, found: ua.EndpointDescription) -> Endpoint:
    policy = policy_name(found.SecurityPolicyUri)
    tokens = tuple(
        Token(TOKEN_TYPES[each.TokenType], each.PolicyId or "", _policy_of(each) or policy)
        for each in found.UserIdentityTokens or ()
        if each.TokenType in TOKEN_TYPES
    )
    return Endpoint(
        url=url_that_works(url, found.EndpointUrl or url),
        security=MODES[found.SecurityMode],
        policy=policy,
        certificate=found.ServerCertificate or b"",
        application=(found.Server.ApplicationUri if found.Server else "") or "",
        tokens=tokens,
    )


def _policy_of(token: ua.UserTokenPolicy) -> str:
    return policy_name(token.SecurityPolicyUri)


def _application(url: str, found: ua.ApplicationDescription) -> Application:
    name = found.ApplicationName.Text if found.ApplicationName else None
    urls = tuple(url_that_works(url, each) for each in found.DiscoveryUrls or () if each)
    return Application(name or "", found.ApplicationUri or "", urls)
