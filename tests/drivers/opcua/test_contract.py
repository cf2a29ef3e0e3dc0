import pytest
from edge_agent_opcua import OpcUaAddress

from edge_agent.testing import DriverContract, Rig
from tests.rigs.opcua_plant import OVEN


class TestOpcUaDriver(DriverContract):
    @pytest.fixture
    async def rig(self, driver, relay):
        return Rig(
            driver=driver,
            good=[
                OpcUaAddress(at="s=Temperature", namespace=OVEN),
                OpcUaAddress(at=f"nsu={OVEN};s=Recipe"),
                OpcUaAddress(at="i=2261"),
            ],
            refused=OpcUaAddress(at="s=NoSuchNode", namespace=OVEN),
            cut=relay.cut,
        )
