"""What the wizard looks at on a server: asks and connects; gives plain JSON.

Nothing here is written to a server. asyncua is imported only while somebody looks.
"""

import asyncio
import ipaddress
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from edge_agent.commissioning import Values
from edge_agent.driver import ConnectionLost
from edge_agent_opcua.config import DEFAULT_PORT, OpcUaSettings

USUAL_PORTS = (DEFAULT_PORT, 48010, 49320, 62541)
"""Registered port; UaServerCpp and its kin; Kepware; the .NET reference server of the OPC
Foundation. Source: the defaults of these products."""
PATIENCE = 2.0
"""Seconds for each answer while it is searched; the ports are asked side by side."""


def urls_of(host: str, port: int | None) -> list[str]:
    """Give the urls at which a server is looked for."""
    try:
        written = f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    except ValueError:
        written = host
    return [f"opc.tcp://{written}:{each}" for each in ([port] if port else USUAL_PORTS)]


def find_servers(urls: Sequence[str], pki: str) -> Values:
    """Ask for endpoints at all urls side by side, and at those a discovery server tells of.

    Returns:
        `servers`: as a survey's document has them; `problems`: url -> why none was found there.
    """
    return asyncio.run(_find_servers(urls, pki))


async def _find_servers(urls: Sequence[str], pki: str) -> Values:
    asked: dict[str, Values] = {}
    problems: dict[str, str] = {}
    await _ask_all(urls, pki, asked, problems)
    told = [
        url
        for server in asked.values()
        for application in server["applications"]
        for url in application["urls"]
    ]
    others = [url for url in dict.fromkeys(told) if _place(url) not in set(map(_place, asked))]
    await _ask_all(others, pki, asked, {})
    return {"servers": list(_each_once(asked.values())), "problems": problems}


async def _ask_all(
    urls: Iterable[str], pki: str, asked: dict[str, Values], problems: dict[str, str]
) -> None:
    urls = list(urls)
    answers = await asyncio.gather(*(_ask(url, pki) for url in urls), return_exceptions=True)
    for url, answer in zip(urls, answers, strict=True):
        if isinstance(answer, ConnectionLost):
            problems[url] = str(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            asked[url] = answer


async def _ask(url: str, pki: str) -> Values:
    from edge_agent_opcua import discovery  # noqa: PLC0415 - asyncua costs 25 MB

    said = await discovery.explore(url, PATIENCE)
    return _surveyed(OpcUaSettings(url=url, pki=pki), *said)


def _surveyed(settings: OpcUaSettings, endpoints: Any, applications: Any) -> Values:
    from edge_agent_opcua.survey import as_document, survey  # noqa: PLC0415
    from edge_agent_opcua.trust import TrustStore  # noqa: PLC0415

    store, now = TrustStore(Path(settings.pki)), datetime.now(UTC)
    return as_document(survey(settings.url, settings, endpoints, applications, store, now))


def _place(url: str) -> tuple[str | None, int]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or DEFAULT_PORT


def _each_once(servers: Iterable[Values]) -> Iterable[Values]:
    """Leave out what has no endpoint to read from, such as a mere discovery server."""
    for server in servers:
        if server["endpoints"]:
            yield server


def show_certificate(settings: Values) -> Values:
    """Show who the server is, as the driver with these settings would judge it.

    Returns:
        A survey's document, with `protects`: whether the server has to be trusted; or `problem`.
    """
    from edge_agent_opcua import discovery  # noqa: PLC0415 - asyncua costs 25 MB
    from edge_agent_opcua.endpoints import Unsuitable, choose  # noqa: PLC0415

    made = OpcUaSettings.model_validate(settings)
    try:
        said = asyncio.run(discovery.explore(made.url, made.timeout))
        protects = choose(said[0], made).protects
        return {"problem": "", "protects": protects, **_surveyed(made, *said)}
    except (ConnectionLost, OSError) as error:
        return {"problem": str(error)}
    except Unsuitable as error:
        return {"problem": error.detail}


def trust(settings: Values, sha1: str) -> Values:
    """Trust the certificate with this thumbprint, if it is still the one that is shown.

    Returns:
        `problem`: why it is not trusted now; empty if it is.
    """
    from edge_agent_opcua import discovery, folder  # noqa: PLC0415 - asyncua costs 25 MB
    from edge_agent_opcua.certificates import Rejected, read_chain  # noqa: PLC0415
    from edge_agent_opcua.trust import TrustStore, mark_of  # noqa: PLC0415

    made = OpcUaSettings.model_validate(settings)
    try:
        endpoints, _applications = asyncio.run(discovery.explore(made.url, made.timeout))
        for endpoint in endpoints:
            shown = read_chain(endpoint.certificate)[0] if endpoint.certificate else None
            if shown is not None and shown.sha1 == sha1:
                TrustStore(Path(made.pki)).accept(shown, mark_of(made.url))
                return {"problem": ""}
    except (ConnectionLost, Rejected) as error:
        return {"problem": str(error)}
    except OSError as error:
        return {"problem": folder.reason(error)}
    return {"problem": f"{made.url} does not show the certificate {sha1} any more"}


def connect(settings: Values) -> Values:
    """Open a session and close it again.

    Returns:
        `problem` and `code` where it failed; `own`: this gateway's certificate, `sha1`, `subject`
        and `file`, if it has been made.
    """
    made = OpcUaSettings.model_validate(settings)
    try:
        asyncio.run(_connect(made))
        said = {"problem": "", "code": ""}
    except ConnectionLost as error:
        said = {"problem": str(error), "code": error.code}
    return {**said, "own": _own(Path(made.pki))}


async def _connect(settings: OpcUaSettings) -> None:
    from edge_agent_opcua.channel import Channel  # noqa: PLC0415 - asyncua costs 25 MB

    channel = await Channel.open(settings)
    await channel.close()


def _own(pki: Path) -> Values:
    from edge_agent_opcua.certificates import Certificate  # noqa: PLC0415
    from edge_agent_opcua.identity import CERTIFICATE  # noqa: PLC0415

    file = pki / "own" / CERTIFICATE
    try:
        certificate = Certificate.load(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return {"sha1": certificate.sha1, "subject": certificate.subject, "file": str(file)}
