"""An OPC UA server with every security policy, users, and certificates that can be changed."""

import asyncio
import shutil
import threading
from contextlib import contextmanager

from asyncua import Server, ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.security_policies import SECURITY_POLICY_TYPE_MAP
from edge_agent_opcua import OpcUaDriver, OpcUaSettings
from edge_agent_opcua.certificates import Certificate
from edge_agent_opcua.trust import TrustStore, mark_of

from tests.rigs.opcua_certificates import URI, certify, der, rsa_key
from tests.rigs.opcua_plant import OVEN

POLICIES = (
    "Aes256_Sha256_RsaPss",
    "Aes128_Sha256_RsaOaep",
    "Basic256Sha256",
    "Basic256",
    "Basic128Rsa15",
)
EVERY = sorted(ua.SecurityPolicyType, key=lambda each: -SECURITY_POLICY_TYPE_MAP[each][2])
CANARY = "Kanarienvogel-7"
TOKENS = [ua.AnonymousIdentityToken, ua.UserNameIdentityToken, ua.X509IdentityToken]


class Vault:
    """One server; `running_vault` runs it.

    Attributes:
        passwords: User -> password; an unknown user, or another password, is refused.
        user_certificates: X.509 users that are admitted (DER); empty admits all.
        trusts: Which gateways it trusts (DER -> bool).
        users: Who came: name, and whether it was let in.
    """

    def __init__(self, passwords=None):
        self.server = Server(user_manager=self)
        self.passwords = passwords or {}
        self.user_certificates = set()
        self.trusts = lambda certificate: True
        self.users = []
        self.certificate = certify()
        self._all = []

    @property
    def port(self):
        return int(self.server.bserver.port)

    @property
    def channels(self):
        """Policy and mode of every channel that is open."""
        open_ones = [each.processor._connection for each in self.server.bserver.clients]
        policies = [each.security_policy for each in open_ones]
        return [(each.URI.rpartition("#")[2], each.Mode.name) for each in policies]

    async def start(self):
        await self.server.init()
        await self.server.set_application_uri(URI)
        self.server.iserver.max_connections = 1000
        self.server.set_endpoint("opc.tcp://no-such-host.invalid:0/oven")
        self.server.socket_address = ("127.0.0.1", 0)
        self.server.set_security_policy(EVERY)
        self.server.set_identity_tokens(TOKENS)
        self.server.iserver.certificate = self.certificate
        self.server.iserver.private_key = rsa_key("oven")
        self.server.set_certificate_validator(self._validate)
        index = await self.server.register_namespace(OVEN)
        await self.server.nodes.objects.add_variable(
            ua.NodeId("Temperature", index), "Temperature", 181.5
        )
        await self.server.start()
        self._all = list(self.server.iserver.endpoints)

    async def stop(self):
        await self.server.stop()

    @property
    def url(self):
        return f"opc.tcp://127.0.0.1:{self.port}"

    async def show(self, certificate, key, *issuers):
        """Show another certificate from now on, with those of its issuers behind it."""
        for endpoint in self.server.iserver.endpoints:
            endpoint.ServerCertificate = b"".join(map(der, (certificate, *issuers)))
        iserver = self.server.iserver
        iserver.certificate, iserver.private_key = certificate, key
        for policy in self.server._policies:
            policy.certificate, policy.private_key = certificate, key

    async def offer(self, *wanted):
        """Offer only endpoints of these (policy, mode) from now on; None offers all again."""
        self.server.iserver.endpoints[:] = [
            each
            for each in self._all
            if not wanted
            or (each.SecurityPolicyUri.rpartition("#")[2], each.SecurityMode.name) in wanted
        ]

    @contextmanager
    def also_takes(self, token):
        """Name another way of naming a user, before all others."""
        for endpoint in self._all:
            endpoint.UserIdentityTokens.insert(0, token)
        try:
            yield
        finally:
            for endpoint in self._all:
                endpoint.UserIdentityTokens.remove(token)

    async def _validate(self, certificate, description):
        if not self.trusts(der(certificate)):
            raise ServiceError(ua.StatusCodes.BadCertificateUntrusted)

    def get_user(self, iserver, username=None, password=None, certificate=None):
        """Decide who may come in; asyncua calls it."""
        if username is not None:
            known = self.passwords.get(username) == password
        else:
            known = certificate is None or certificate in (self.user_certificates or {certificate})
        self.users.append((username, known))
        return User(UserRole.User) if known else None

    def run(self, action):
        return asyncio.run_coroutine_threadsafe(action, self.loop).result(60)


@contextmanager
def running_vault(**more):
    """Run a server in a loop and a thread of its own; a start takes a second."""
    vault = Vault(**more)
    vault.loop = asyncio.new_event_loop()
    thread = threading.Thread(target=vault.loop.run_forever, daemon=True)
    thread.start()
    vault.run(vault.start())
    try:
        yield vault
    finally:
        vault.run(vault.stop())
        vault.run(_end_all())
        vault.loop.call_soon_threadsafe(vault.loop.stop)
        thread.join(5)
        vault.loop.close()


async def _end_all():
    """End what asyncua leaves behind of sessions that were never closed."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for each in left:
        each.cancel()
    await asyncio.gather(*left, return_exceptions=True)


class Gateway:
    """A folder of certificates, and drivers that use it."""

    def __init__(self, folder, own=None):
        self.pki = folder / "pki"
        self.store = TrustStore(self.pki)
        self._folder = folder
        if own is not None:
            shutil.copytree(own, self.pki / "own")

    def settings(self, url, **more):
        return OpcUaSettings(**{"url": url, "pki": str(self.pki), "timeout": 2, **more})

    def driver(self, url, **more):
        return OpcUaDriver(self.settings(url, **more))

    def trust(self, url, certificate):
        return self.store.accept(Certificate.of(certificate), mark_of(url))

    def secret(self, text, name="password", mode=0o600):
        """Write a file; gives its path."""
        file = self._folder / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        file.chmod(mode)
        return str(file)


class Between:
    """Stands between a client and a server.

    Args:
        upstream: Port of the server.
        damage: What becomes of the server's bytes on their way.
        instead: Gives the answer to the client's bytes, and the end; None lets them pass.
    """

    def __init__(self, upstream, damage=bytes, instead=lambda data: None):
        self._upstream, self._damage, self._instead = upstream, damage, instead

    @property
    def url(self):
        return f"opc.tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self):
        self._serving = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader, writer):
        self._serving.add(asyncio.current_task())
        there, onward = await asyncio.open_connection("127.0.0.1", self._upstream)
        back = asyncio.create_task(self._copy(there, writer))
        while data := await reader.read(65536):
            answer = self._instead(data)
            if answer is not None:
                writer.write(answer)
                break
            onward.write(data)
        onward.close()
        await back
        writer.close()
        await asyncio.gather(onward.wait_closed(), writer.wait_closed(), return_exceptions=True)

    async def _copy(self, reader, writer):
        while data := await reader.read(65536):
            writer.write(self._damage(data))
