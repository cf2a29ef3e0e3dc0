import pytest

from tests.rigs.instrument import PtyInstrument, TcpInstrument


@pytest.fixture
async def pty():
    instrument = PtyInstrument()
    yield instrument
    await instrument.cut()


@pytest.fixture
async def tcp():
    instrument = TcpInstrument()
    await instrument.listen()
    yield instrument
    await instrument.cut()


@pytest.fixture(params=["pty", "tcp"])
def instrument(request):
    return request.getfixturevalue(request.param)
