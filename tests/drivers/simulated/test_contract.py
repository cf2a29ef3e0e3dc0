import pytest
from edge_agent_simulated import SimulatedDriver, SimulatedSettings, SineAddress
from edge_agent_simulated.switch import SwitchAddress, SwitchDriver, SwitchSettings

from edge_agent.testing import DriverContract, Rig, WatchingContract


class TestSimulatedDriver(DriverContract):
    @pytest.fixture
    def rig(self):
        driver = SimulatedDriver(SimulatedSettings())
        good = [SineAddress(), SineAddress(middle=180, amplitude=5)]
        return Rig(driver, good, cut=driver.close)

    @pytest.mark.skip(reason="there is no equipment that could be away")
    async def test_open_fails_with_connection_lost_and_can_be_closed(self):
        pass


class TestSwitchDriver(WatchingContract):
    @pytest.fixture
    def rig(self):
        driver = SwitchDriver(SwitchSettings())
        good = [SwitchAddress(at="door"), SwitchAddress(at="window")]
        return Rig(driver, good, cut=driver.close, change=lambda: driver.turn("door"))

    @pytest.mark.skip(reason="there is no equipment that could be away")
    async def test_open_fails_with_connection_lost_and_can_be_closed(self):
        pass
