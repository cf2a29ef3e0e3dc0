import pytest

from tests.rigs.opcua_plant import Plant, make_driver
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
