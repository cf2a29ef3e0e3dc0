"""Says in one sentence why a server cannot be read, and what to do. Pure; imports no asyncua."""

import socket

# What a server may answer before it lets us in. Source: OPC 10000-6, A.2 (StatusCodes).
_WANTS_ENCRYPTION = (
    "accepts only encrypted connections, which this version cannot make yet: "
    "allow security policy None on the server, in a network you trust"
)
_WANTS_A_USER = (
    "does not admit anonymous readers: allow anonymous read access on the server "
    "(a user and password need an encrypted connection, which is not built yet)"
)
_FULL = (
    "has no session left for this agent: close other clients, raise the server's limit, "
    "or wait until sessions left behind time out"
)
_ANSWERS = {
    0x80540000: _WANTS_ENCRYPTION,  # BadSecurityModeRejected
    0x80550000: _WANTS_ENCRYPTION,  # BadSecurityPolicyRejected
    0x80130000: _WANTS_ENCRYPTION,  # BadSecurityChecksFailed
    0x80200000: _WANTS_A_USER,  # BadIdentityTokenInvalid
    0x80210000: _WANTS_A_USER,  # BadIdentityTokenRejected
    0x801F0000: _WANTS_A_USER,  # BadUserAccessDenied
    0x80560000: _FULL,  # BadTooManySessions
    0x80B70000: _FULL,  # BadMaxConnectionsReached
    0x80830000: "has no endpoint of this url: check what follows the port in it",
    0x800D0000: "is running but not ready yet: it will be tried again",  # BadServerNotConnected
    0x800E0000: "is shut down or just starting: it will be tried again",  # BadServerHalted
}


def refused(url: str, status: int, name: str) -> str:
    """Say why the server did not let us in."""
    answer = _ANSWERS.get(status, "refused the session: look into the server's log")
    return f"the OPC UA server {url} {answer} ({name})"


def unreachable(url: str, error: OSError, patience: float) -> str:
    """Say why there is no connection to the server at all."""
    if isinstance(error, socket.gaierror):
        return f"the host name in {url} is unknown ({error.strerror}): check it, or the name server"
    if isinstance(error, TimeoutError):
        return silent(url, patience)
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens at {url}: check the port, and whether the OPC UA server is running"
    if isinstance(error, ConnectionError):
        return (
            f"{url} closed the connection before a session was open: check that an OPC UA server "
            "listens on this port"
        )
    return f"{url} cannot be reached ({error.strerror or error}): check cable, address and route"


def silent(url: str, patience: float) -> str:
    """Say that the server did not answer in time."""
    return (
        f"the OPC UA server {url} did not answer within {patience:g} s: check that it is running "
        "and reachable, or raise timeout"
    )


def ended(url: str, reason: str) -> str:
    """Say that an open session is over."""
    return f"the session with the OPC UA server {url} is over ({reason}): a new one will be opened"


def strange(url: str, error: Exception) -> str:
    """Say that what answers does not speak OPC UA as expected."""
    if str(error).startswith("No matching endpoints"):  # asyncua's words; they carry no code
        return f"the OPC UA server {url} {_WANTS_ENCRYPTION}"
    return (
        f"{url} does not answer like an OPC UA server ({type(error).__name__}: {error}): check "
        "that the port is the server's opc.tcp port"
    )
