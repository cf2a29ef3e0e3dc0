import itertools

import pytest
from edge_agent_opcua import OpcUaAddress

from edge_agent.testing import Rig, WatchingContract
from tests.rigs.opcua_plant import OVEN, make_driver
from tests.rigs.relay import Relay


class TestOpcUaDriver(WatchingContract):
    @pytest.fixture
    async def rig(self, driver, relay, plant):
        numbers = itertools.count(1.0)

        def change():
            number = next(numbers)
            plant.run(plant.first.change("Changing", number))
            return number

        return Rig(
            driver=driver,
            good=[
                OpcUaAddress(at="s=Changing", namespace=OVEN),
                OpcUaAddress(at=f"nsu={OVEN};s=Recipe"),
                OpcUaAddress(at="i=2261"),
            ],
            refused=OpcUaAddress(at="s=NoSuchNode", namespace=OVEN),
            cut=relay.cut,
            change=change,
        )


@pytest.mark.thorough
class TestOpcUaDriverWithAnotherHouse(WatchingContract):
    @pytest.fixture
    async def rig(self, other_house):
        numbers = itertools.count(180.0)

        def change():
            number = next(numbers)
            other_house.set(Temperature=number)
            return number

        async with Relay(other_house.port) as relay:
            driver = make_driver(relay.port)
            yield Rig(
                driver=driver,
                good=[
                    OpcUaAddress(at="s=Oven.Temperature", namespace=OVEN),
                    OpcUaAddress(at=f"nsu={OVEN};s=Oven.Door"),
                    OpcUaAddress(at="i=2261"),
                ],
                refused=OpcUaAddress(at="s=NoSuchNode", namespace=OVEN),
                cut=relay.cut,
                change=change,
            )
            await driver.close()
            other_house.set(Temperature=181.5)
