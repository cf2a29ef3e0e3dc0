"""The same with a server of another maker: node-opcua has its own idea of every message."""

import pytest
from edge_agent_opcua import OpcUaAddress, discovery
from edge_agent_opcua.certificates import read_chain

from edge_agent.driver import ConnectionLost
from tests.rigs.node_opcua import APPLICATION_URI, OVEN, copied_pki, node_opcua
from tests.rigs.opcua_vault import CANARY

pytestmark = pytest.mark.thorough

POLICIES = ["Aes256_Sha256_RsaPss", "Aes128_Sha256_RsaOaep", "Basic256Sha256"]
TEMPERATURE = [OpcUaAddress(at="s=Oven.Temperature", namespace=OVEN)]


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    with node_opcua(
        copied_pki(tmp_path_factory.mktemp("peer")),
        hostname="no-such-host.invalid",
        policies=["None", *POLICIES, "Basic256"],
        modes=["None", "Sign", "SignAndEncrypt"],
        users={"operator": CANARY},
        accept=False,
    ) as peer:
        yield peer


async def trusting(gateway, peer):
    """Trust the server, as `edge-agent trust` does."""
    (first, *_) = await discovery.find_endpoints(peer.url, 5)
    gateway.trust(peer.url, read_chain(first.certificate)[0].parsed)


async def read(gateway, peer, **more):
    # node-opcua makes its certificate for the name of this machine only, as many PLCs do
    driver = gateway.driver(peer.url, server_name=APPLICATION_URI, timeout=5, **more)
    try:
        await driver.open()
        return (await driver.read(driver.plan(TEMPERATURE, {}))).values
    finally:
        await driver.close()


async def test_a_gateway_is_rejected_until_somebody_moves_its_certificate(gateway, peer, own):
    await trusting(gateway, peer)
    with pytest.raises(ConnectionLost) as caught:
        await read(gateway, peer)
    shown = read_chain((own / "certificate.der").read_bytes())[0]
    assert caught.value.code == "E-OPCUA-CLIENT-UNTRUSTED"
    assert f"move certificate {shown.sha1} from rejected to trusted" in str(caught.value)
    assert any(shown.sha1.lower() in name for name in peer.trust())
    peer.restart()
    assert await read(gateway, peer)


@pytest.fixture
async def trusted(gateway, peer, own):
    await trusting(gateway, peer)
    try:
        await read(gateway, peer)
    except ConnectionLost:
        peer.trust()
        peer.restart()
    return gateway


async def test_every_policy_and_mode_reads(trusted, peer):
    for policy in POLICIES:
        assert await read(trusted, peer, policy=policy)
    assert await read(trusted, peer, policy="Basic256", legacy=True)
    assert await read(trusted, peer, security="sign")
    assert await read(trusted, peer, security="none")


@pytest.mark.parametrize("security", ["encrypt", "none"])
async def test_a_user_with_a_password_is_admitted_and_one_with_a_wrong_one_is_not(
    trusted, peer, security
):
    user = {"username": "operator", "security": security}
    right, wrong = trusted.secret(CANARY, "right"), trusted.secret("wrong", "wrong")
    assert await read(trusted, peer, password_file=right, **user)
    with pytest.raises(ConnectionLost) as caught:
        await read(trusted, peer, password_file=wrong, **user)
    assert caught.value.code == "E-OPCUA-USER"


async def test_what_it_says_of_itself_is_found(peer):
    endpoints, applications = await discovery.explore(peer.url, 5)
    assert len(endpoints) == 1 + 2 * len([*POLICIES, "Basic256"])
    assert {each.url for each in endpoints} == {peer.url}
    assert [each.uri for each in applications] == [APPLICATION_URI]
