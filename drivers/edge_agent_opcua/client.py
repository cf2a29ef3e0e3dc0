"""asyncua's client where it says or checks too little, and its silence where it says too much."""

import logging

from asyncua import Client, ua
from asyncua.client.ua_client import UaClient, UASocketProtocol
from asyncua.common.shortcuts import Shortcuts
from asyncua.crypto import security_policies
from asyncua.crypto.uacrypto import CertProperties

from edge_agent_opcua.certificates import Certificate
from edge_agent_opcua.config import Security
from edge_agent_opcua.endpoints import Endpoint, Token, policy_uri
from edge_agent_opcua.identity import Identity

MODES: dict[ua.MessageSecurityMode, Security] = {
    ua.MessageSecurityMode.None_: "none",
    ua.MessageSecurityMode.Sign: "sign",
    ua.MessageSecurityMode.SignAndEncrypt: "encrypt",
}
_MODES = {security: mode for mode, security in MODES.items()}
_POLICIES = {
    each.URI: each
    for each in (
        security_policies.SecurityPolicyAes256Sha256RsaPss,
        security_policies.SecurityPolicyAes128Sha256RsaOaep,
        security_policies.SecurityPolicyBasic256Sha256,
        security_policies.SecurityPolicyBasic256,
        security_policies.SecurityPolicyBasic128Rsa15,
    )
}
TOKEN_TYPES = {
    ua.UserTokenType.Anonymous: "anonymous",
    ua.UserTokenType.UserName: "username",
    ua.UserTokenType.Certificate: "certificate",
    ua.UserTokenType.IssuedToken: "issued",
}


class QuietClient(Client):
    """A client that logs nothing, and names a user as it is told.

    Attributes:
        token: How the user is named; asyncua itself would take the first that the server offers,
            which may be the one that sends a password unencrypted.
    """

    def __init__(self, url: str, timeout: float) -> None:
        # What asyncua complains about is raised to us; to log it too would say everything twice,
        # and at its lower levels it would log what a user token holds.
        logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)
        super().__init__(url, timeout=timeout)
        self.uaclient = _Transport(timeout)
        self.uaclient.pre_request_hook = self.check_connection
        self.nodes = Shortcuts(self.uaclient.session)
        self.token: Token | None = None

    async def protect(self, endpoint: Endpoint, server: Certificate, own: Identity) -> None:
        """Sign, or sign and encrypt, as this endpoint wants it; before the connection is made."""
        self.application_uri = own.application
        await self.set_security(
            _POLICIES[policy_uri(endpoint.policy)],
            CertProperties(own.certificate.der, "der"),
            CertProperties(own.key, "pem"),
            server_certificate=CertProperties(server.der, "der"),
            mode=_MODES[endpoint.security],
        )

    def server_policy(self, token_type: ua.UserTokenType) -> ua.UserTokenPolicy:
        if self.token is None:
            return super().server_policy(token_type)
        return ua.UserTokenPolicy(
            PolicyId=ua.String(self.token.id),
            TokenType=token_type,
            SecurityPolicyUri=ua.String(policy_uri(self.token.policy)),
        )


class _Transport(UaClient):
    def _make_protocol(self) -> UASocketProtocol:
        made = _Protocol(self._timeout, security_policy=self.security_policy)
        made.pre_request_hook = self._pre_request_hook
        made.on_connection_lost = self._on_transport_lost
        made.is_session_closing = self._is_session_closing
        self.protocol = made
        return made


class _Protocol(UASocketProtocol):
    """Says why a secure channel is refused: asyncua drops the fault it is told, and asserts."""

    def _process_received_message(
        self, msg: ua.Message | ua.Acknowledge | ua.ErrorMessage | None
    ) -> None:
        if isinstance(msg, ua.Message) and _opens_a_channel(msg):
            self.check_answer(msg.body(), "")  # type: ignore[no-untyped-call]
        super()._process_received_message(msg)


def _opens_a_channel(msg: ua.Message) -> bool:
    header = msg.SecurityHeader()  # type: ignore[no-untyped-call]
    return isinstance(header, ua.AsymmetricAlgorithmHeader)
