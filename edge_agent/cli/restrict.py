"""`edge-agent restrict`: a drop-in that lets the service reach its broker and machines only."""

import argparse
import ipaddress
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from edge_agent.command import CONFIG_INVALID, OK, PARTLY_OK, print_json
from edge_agent.errors import CommandFailed, ConfigInvalid
from edge_agent.language import _

if TYPE_CHECKING:
    from edge_agent.config import Config

EXAMPLE = "edge-agent restrict > /etc/systemd/system/edge-agent.service.d/site.conf"
RESOLVER = Path("/etc/resolv.conf")

HEAD = """\
# Made by `edge-agent restrict` from {file}: the service reaches what stands here and
# nothing else. Names were resolved when this was made. Make it anew when the configuration or an
# address changes, then: systemctl daemon-reload && systemctl restart edge-agent
[Service]
IPAddressDeny=any
IPAddressAllow=localhost"""


class Peer(NamedTuple):
    """One that the service exchanges packets with.

    Attributes:
        what: Who it is, for people.
        host: A name, an address or a network; empty where a driver does not say.
    """

    what: str
    host: str


class Found(NamedTuple):
    """Under which addresses and networks a peer is reached; none where they cannot be found out."""

    peer: Peer
    addresses: tuple[str, ...]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        type=_network,
        metavar="NETWORK",
        help=_("allow this network or address too, such as 192.168.10.0/24; may be repeated"),
    )


def run(options: argparse.Namespace) -> int:
    """Print the drop-in; 6 if something that the configuration names is missing from it."""
    found = [_located(peer) for peer in _peers(_loaded(options.config))]
    found += [Found(Peer("as asked", network), (network,)) for network in options.also]
    if any(_is_name(one.peer.host) for one in found):
        servers = name_servers(RESOLVER.read_text("utf-8") if RESOLVER.exists() else "")
        found += [Found(Peer("name server", server), (server,)) for server in servers]
    if options.json:
        print_json({"allow": [{**one.peer._asdict(), "addresses": one.addresses} for one in found]})
    else:
        print(drop_in(options.config, found))
    return OK if all(one.addresses for one in found) else PARTLY_OK


def drop_in(file: Path, found: Iterable[Found]) -> str:
    """Write the drop-in. Pure."""
    return "\n".join([HEAD.format(file=file), *(line for one in found for line in _lines(one))])


def name_servers(resolver: str) -> list[str]:
    """Give the name servers in the text of a resolv.conf. Pure. Source: resolv.conf(5)."""
    lines = (line.split() for line in resolver.splitlines())
    return [words[1].partition("%")[0] for words in lines if words[:1] == ["nameserver"]]


def _lines(one: Found) -> Iterator[str]:
    what, host = one.peer
    yield f"# {what}: {host}" if host else f"# {what}"
    if one.addresses:
        yield f"IPAddressAllow={' '.join(one.addresses)}"
    else:
        why = "its name cannot be resolved now" if host else "its driver does not say"
        yield f"# MISSING, {why}: add IPAddressAllow= with its address, else it cannot be reached"


def _peers(config: "Config") -> Iterator[Peer]:
    yield Peer("broker", config.mqtt.host)
    for connection in config.connections:
        what = f"connection {connection.name}"
        hosts = connection.settings.peers()
        yield from (Peer(what, host) for host in ([""] if hosts is None else hosts))


def _located(peer: Peer) -> Found:
    if not _is_name(peer.host):
        return Found(peer, (peer.host,) if peer.host else ())
    try:
        answers = socket.getaddrinfo(peer.host, None, type=socket.SOCK_STREAM)
    except OSError:
        return Found(peer, ())
    return Found(peer, tuple(sorted({str(answer[4][0]).partition("%")[0] for answer in answers})))


def _is_name(host: str) -> bool:
    try:
        _network(host)
    except ValueError:
        return bool(host)
    return False


def _network(text: str) -> str:
    return str(ipaddress.ip_network(text, strict=False))


def _loaded(file: Path) -> "Config":
    from edge_agent.config import load

    try:
        return load(file)
    except ConfigInvalid as error:
        raise CommandFailed(str(error), CONFIG_INVALID) from error
