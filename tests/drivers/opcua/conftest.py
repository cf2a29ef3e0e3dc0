from datetime import UTC, datetime

import pytest
from edge_agent_opcua.identity import own_identity

from tests.rigs.node_opcua import node_opcua
from tests.rigs.opcua_certificates import rsa_key
from tests.rigs.opcua_plant import Plant, make_driver
from tests.rigs.opcua_vault import CANARY, Gateway, running_vault
from tests.rigs.relay import Relay


@pytest.fixture(scope="session")
def plant():
    plant = Plant()
    plant.start()
    yield plant
    plant.stop()


@pytest.fixture
async def relay(plant):
    async with Relay(plant.first.port) as relay:
        yield relay


@pytest.fixture
async def driver(relay):
    driver = make_driver(relay.port)
    yield driver
    await driver.close()


@pytest.fixture(scope="session")
def other_house():
    """A server of another house, with everything that it has by default."""
    with node_opcua(deep=3) as server:
        yield server


@pytest.fixture(scope="session")
def workshop():
    """Another one, for tests that need it otherwise: `workshop.rebuild(...)` at their beginning."""
    with node_opcua() as server:
        yield server


@pytest.fixture(scope="session")
def strongroom():
    with running_vault(passwords={"operator": CANARY}) as vault:
        yield vault


@pytest.fixture
def vault(strongroom):
    """A server with every security policy, as it was at first."""
    yield strongroom
    strongroom.run(strongroom.show(strongroom.certificate, rsa_key("oven")))
    strongroom.run(strongroom.offer())
    strongroom.trusts = lambda certificate: True
    strongroom.user_certificates.clear()
    strongroom.users.clear()


@pytest.fixture(scope="session")
def own(tmp_path_factory):
    """The certificate and key of a gateway, since making them takes a while."""
    pki = tmp_path_factory.mktemp("own")
    own_identity(pki, datetime.now(UTC), ["127.0.0.1"])
    return pki / "own"


@pytest.fixture
def gateway(tmp_path, own):
    return Gateway(tmp_path, own)
