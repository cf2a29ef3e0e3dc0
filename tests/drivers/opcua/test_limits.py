import pytest
from asyncua import ua
from edge_agent_opcua import OpcUaAddress
from edge_agent_opcua.limits import MOST, Limit, Limits, in_requests

from tests.rigs.node_opcua import OVEN
from tests.rigs.opcua_plant import make_driver


class Server:
    """Doubles numbers; too many at once and one that it cannot encode are too much for it."""

    def __init__(self, most, broken=None):
        self.most, self.broken = most, broken
        self.asked = []

    async def __call__(self, numbers):
        self.asked.append(len(numbers))
        if len(numbers) > self.most:
            raise ua.uaerrors.BadTooManyOperations
        if self.broken in numbers:
            raise RuntimeError("cannot be decoded")
        return [2 * number for number in numbers]


async def test_requests_are_as_large_as_the_server_says():
    server = Server(10)
    assert await in_requests(server, range(25), Limit(10)) == [2 * n for n in range(25)]
    assert server.asked == [10, 10, 5]


async def test_a_refused_request_is_halved_and_the_next_ones_are_smaller():
    server, limit = Server(7), Limit(40)
    for _ in range(2):
        assert await in_requests(server, range(80), limit) == [2 * n for n in range(80)]
    assert limit.most == 5
    assert server.asked[-16:] == [5] * 16


async def test_one_that_cannot_be_decoded_is_found_and_does_not_make_requests_smaller():
    server, limit = Server(100, broken=13), Limit(100)
    found = await in_requests(server, range(50), limit, str)
    assert found == [2 * n if n != 13 else "cannot be decoded" for n in range(50)]
    assert limit.most == 100


async def test_what_is_too_much_alone_ends_it_or_is_told():
    with pytest.raises(ua.uaerrors.BadTooManyOperations):
        await in_requests(Server(0), range(2), Limit(2))
    assert await in_requests(Server(0), range(2), Limit(2), lambda _: None) == [None, None]


async def test_another_refusal_is_not_tried_in_halves():
    asked = []

    async def refuse(things):
        asked.append(things)
        raise ua.uaerrors.BadSessionIdInvalid

    with pytest.raises(ua.uaerrors.BadSessionIdInvalid):
        await in_requests(refuse, range(8), Limit(8), lambda _: None)
    assert len(asked) == 1


def test_no_limit_and_a_high_one_mean_ours():
    limits = Limits({"read": 0, "browse": None, "watch": 100_000, "translate": 3})
    assert [limits.read.most, limits.browse.most, limits.watch.most] == [MOST] * 3
    assert limits.translate.most == 3


@pytest.mark.thorough
async def test_a_server_with_narrow_limits_is_read_within_them(workshop):
    narrow = {"MaxNodesPerRead": 3, "MaxNodesPerBrowse": 2}
    narrow["MaxNodesPerTranslateBrowsePathsToNodeIds"] = 2
    workshop.rebuild(limits=narrow, ids="numbers", first=50_000, many=20)
    already = len(workshop.refusals)
    driver = make_driver(workshop.port)
    await driver.open()
    try:
        addresses = [OpcUaAddress(at=f"nsu={OVEN};s=v{n}") for n in range(20)]
        addresses += [OpcUaAddress(at=f"nsu={OVEN};i={50_000 + n}") for n in range(9)]
        samples = await driver.read(driver.plan(addresses, {}))
        again = await driver.read(driver.plan(addresses, samples.learnt))
    finally:
        await driver.close()
    assert samples.values[:20] == list(range(20))
    assert samples.values == again.values
    assert len(samples.learnt["paths"]) == 9
    # One refusal: the limits themselves were asked for all at once.
    assert workshop.refusals[already:] == ["ServiceFault BadTooManyOperations"]
