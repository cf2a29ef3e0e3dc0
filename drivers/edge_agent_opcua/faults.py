"""Says in one sentence why a server cannot be read, and what to do. Pure; imports no asyncua."""

import socket
from collections import Counter
from collections.abc import Iterable, Mapping

from edge_agent.driver import ConnectionLost, Diagnosis, Flaw, Why
from edge_agent.language import _, refusal
from edge_agent_opcua.catalogue import Fault
from edge_agent_opcua.config import PKI, OpcUaSettings

PATIENT = 20.0
"""Seconds until another try of what a person, or the right time, has to settle first."""
LONGEST = 300
"""Characters of what a server said that go into a sentence."""

# Noticed beside values -> what it means, the worst first.
NOTICED: Mapping[str, Fault] = {
    "certificate_expires": Fault.EXPIRES,
    "own_certificate_expires": Fault.OWN_EXPIRES,
    "no_namespace": Fault.UNKNOWN_NAMESPACE,
    "unknown_node": Fault.UNKNOWN_NODE,
    "no_access": Fault.NO_ACCESS,
    "unreadable_type": Fault.UNREADABLE_TYPE,
}

# What a server may answer before it lets us in. Source: OPC 10000-6, A.2 (StatusCodes).
_ANSWERS: Mapping[int, Fault] = {
    0x80560000: Fault.FULL,  # BadTooManySessions
    0x80B70000: Fault.FULL,  # BadMaxConnectionsReached
    0x80810000: Fault.FULL,  # BadTcpNotEnoughResources
    0x80830000: Fault.URL,  # BadTcpEndpointUrlInvalid
    0x804F0000: Fault.URL,  # BadServerUriInvalid
    0x800D0000: Fault.NOT_READY,  # BadServerNotConnected
    0x800E0000: Fault.NOT_READY,  # BadServerHalted
    0x80540000: Fault.WANTS_ENCRYPTION,  # BadSecurityModeRejected
    0x80550000: Fault.WANTS_ENCRYPTION,  # BadSecurityPolicyRejected
    0x80200000: Fault.USER,  # BadIdentityTokenInvalid
    0x80210000: Fault.USER,  # BadIdentityTokenRejected
    0x801F0000: Fault.USER,  # BadUserAccessDenied
    0x80570000: Fault.USER,  # BadUserSignatureInvalid
    0x80130000: Fault.CLIENT_UNTRUSTED,  # BadSecurityChecksFailed: servers hide the reason so
    0x801A0000: Fault.CLIENT_UNTRUSTED,  # BadCertificateUntrusted
    0x810D0000: Fault.CLIENT_UNTRUSTED,  # BadCertificateChainIncomplete
    0x80120000: Fault.CLIENT_REJECTED,  # BadCertificateInvalid
    0x80140000: Fault.CLIENT_REJECTED,  # BadCertificateTimeInvalid
    0x80160000: Fault.CLIENT_REJECTED,  # BadCertificateHostNameInvalid
    0x80170000: Fault.CLIENT_REJECTED,  # BadCertificateUriInvalid
    0x80180000: Fault.CLIENT_REJECTED,  # BadCertificateUseNotAllowed
    0x801D0000: Fault.CLIENT_REJECTED,  # BadCertificateRevoked
}

# What the same answer means where we do not want security, and before we have shown a certificate.
_WITHOUT_SECURITY = {
    Fault.CLIENT_UNTRUSTED: Fault.WANTS_ENCRYPTION,
    Fault.CLIENT_REJECTED: Fault.WANTS_ENCRYPTION,
}
_BEFORE_IT = dict.fromkeys(
    (Fault.CLIENT_UNTRUSTED, Fault.CLIENT_REJECTED, Fault.WANTS_ENCRYPTION), Fault.REFUSED_SESSION
)
_WITH_SECURITY = {Fault.WANTS_ENCRYPTION: Fault.REFUSED_SESSION}

_PATIENT = {
    Fault.UNTRUSTED, Fault.CHANGED, Fault.NOT_YET_VALID, Fault.CLOCK, Fault.CLIENT_UNTRUSTED,
    Fault.PKI, Fault.SECRET_FILE,
}  # fmt: skip

_BY_NAME = {
    "BadNodeIdUnknown": "unknown_node",
    "BadNodeIdInvalid": "unknown_node",
    "BadUserAccessDenied": "no_access",
    "BadNotReadable": "no_access",
}


def trust_command(url: str, pki: str = PKI) -> str:
    """Give the command that shows a server's certificate, and trusts it."""
    return f"edge-agent trust {url}" + (f" --pki {pki}" if pki != PKI else "")


def lost(fault: Fault, url: str, detail: str = "", own: str = "", pki: str = PKI) -> ConnectionLost:
    """Make the error that says this of a server.

    Args:
        fault: What is wrong.
        url: The server.
        detail: What exactly.
        own: Thumbprint of this gateway's certificate.
        pki: Folder of certificates.
    """
    code, sentence, action = fault.value
    message = f"{_(sentence)}: {_(action)}".format(
        url=url, detail=_harmless(detail), own=own, trust=trust_command(url, pki)
    )
    return ConnectionLost(message, code=code, retry_after=PATIENT if fault in _PATIENT else None)


def _harmless(text: str) -> str:
    """Take out what a terminal would obey, and cut what is too long: strangers wrote it."""
    return "".join(each if each.isprintable() else "?" for each in text[:LONGEST])


def refused(
    settings: OpcUaSettings, url: str, status: int, name: str, own: str = ""
) -> ConnectionLost:
    """Say why the server did not let us in.

    Args:
        settings: What the configuration wants.
        url: The server.
        status: What it answered.
        name: The name of that.
        own: Thumbprint of our certificate; empty where it was not shown.
    """
    fault = _ANSWERS.get(status & 0xFFFF0000, Fault.REFUSED_SESSION)
    if settings.security == "none":
        fault = _WITHOUT_SECURITY.get(fault, fault)
    else:
        fault = (_WITH_SECURITY if own else _BEFORE_IT).get(fault, fault)
    if fault is Fault.USER and settings.user == "anonymous":
        fault = Fault.ANONYMOUS
    return lost(fault, url, name, own, settings.pki)


def unreachable(url: str, error: OSError, patience: float) -> ConnectionLost:
    """Say why there is no connection to the server at all."""
    if isinstance(error, socket.gaierror):
        return lost(Fault.HOST, url, refusal(error))
    if isinstance(error, TimeoutError):
        return silent(url, patience)
    if isinstance(error, ConnectionRefusedError):
        return lost(Fault.REFUSED, url)
    if isinstance(error, ConnectionError):
        return lost(Fault.CLOSED, url)
    return lost(Fault.UNREACHABLE, url, refusal(error))


def silent(url: str, patience: float) -> ConnectionLost:
    """Say that the server did not answer in time."""
    return lost(Fault.TIMEOUT, url, f"{patience:g} s")


def ended(url: str, reason: str) -> ConnectionLost:
    """Say that an open session is over."""
    return lost(Fault.ENDED, url, reason)


def strange(url: str, error: Exception) -> ConnectionLost:
    """Say that what answers does not speak OPC UA as expected."""
    if str(error).startswith("No matching endpoints"):  # asyncua's words; they carry no code
        return lost(Fault.WANTS_ENCRYPTION, url, _("no endpoint without security"))
    return lost(Fault.PROTOCOL, url, f"{type(error).__name__}: {error}")


def noticed(flaws: Iterable[Flaw]) -> Counter[str]:
    """Count what the flaws of one read say about nodes: the keys of `NOTICED`."""
    found = Counter(kind for flaw in flaws if (kind := _kind(flaw)))
    found.pop("", None)
    return found


def _kind(flaw: Flaw) -> str:
    if flaw.why is Why.DECODE_ERROR:
        return "unreadable_type"
    if flaw.why is not Why.REFUSED:
        return ""
    name = flaw.detail.partition(" ")[0]
    return "no_namespace" if "no namespace" in flaw.detail else _BY_NAME.get(name, "")


def diagnose(evidence: Mapping[str, int]) -> Diagnosis | None:
    """Say what is most likely wrong with a device whose server answers."""
    for kind, fault in NOTICED.items():
        if evidence.get(kind):
            return fault.value
    return None
