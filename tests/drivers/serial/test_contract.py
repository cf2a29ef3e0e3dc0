import contextlib

import pytest
from edge_agent_serial import SerialAddress, SerialDriver, SerialSettings

from edge_agent.driver import NoResponse
from edge_agent.testing import DriverContract, Rig

LINE = b"ST,GS,+  12.34kg\r\n"
PATTERN = r"(?P<state>ST|US),GS,(?P<weight>[+-] *[\d.]+)(?P<unit>kg|lb)"
GOOD = [SerialAddress(field="weight"), SerialAddress(field="unit", type="text")]


def settings(instrument, **more):
    if isinstance(instrument.port, int):
        more |= {"transport": "tcp", "host": "127.0.0.1"}
    else:
        more |= {"transport": "serial"}
    return SerialSettings(port=instrument.port, pattern=PATTERN, timeout="300ms", **more)


class TestStream(DriverContract):
    @pytest.fixture
    async def rig(self, instrument):
        driver = SerialDriver(settings(instrument))
        instrument.stream(LINE, every=0.01)

        async def silence():
            instrument.silence()
            with contextlib.suppress(NoResponse):  # what it has said already may still come
                await driver.read(driver.plan(GOOD, {}))

        yield Rig(driver, GOOD, instrument.cut, SerialAddress(field="tare"), silence)
        await driver.close()


class TestPoll(DriverContract):
    @pytest.fixture
    async def rig(self, instrument):
        driver = SerialDriver(settings(instrument, mode="poll", request="Q\\r\\n", effect="read"))
        instrument.answer = lambda request: LINE if request == b"Q\r\n" else None
        yield Rig(driver, GOOD, instrument.cut, SerialAddress(field="tare"), instrument.silence)
        await driver.close()
