"""Who may send to us: addresses and networks. Pure."""

import ipaddress
from collections.abc import Sequence

from edge_agent.language import _

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def network(text: str) -> _Network:
    """Read an address such as `10.0.0.7`, or a network such as `10.0.0.0/24`.

    Raises:
        ValueError: It is neither.
    """
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(
            _(
                "{text!r} is no address: write one such as 10.0.0.7, or a network such "
                "as 10.0.0.0/24"
            ).format(text=text)
        ) from error


class Allowed:
    """The addresses that are listened to; all of them if none is named."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._networks = [network(text) for text in texts]

    def __contains__(self, address: str) -> bool:
        if not self._networks:
            return True
        peer = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped is not None:
            peer = peer.ipv4_mapped  # what an IPv4 peer is called on a socket for both
        return any(peer in network for network in self._networks)
