"""Publish requests: always enough of them, all answers in order, and what the server refuses."""

import asyncio
import contextlib

import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_to_binary
from edge_agent_opcua.publishing import SPARE, Publishing

from tests.rigs.opcua_watch import at, watching
from tests.rigs.until import until


class Line:
    """The library's connection, with a server behind it that answers when the test says so."""

    def __init__(self):
        self.requests = []

    async def send_request(self, request, **options):
        assert options == {"timeout": 0}, "the server answers when it has something to tell"
        answer = asyncio.get_running_loop().create_future()
        self.requests.append((request.Parameters.SubscriptionAcknowledgements, answer))
        return await answer

    def answer(self, sequence, *, news=True, request=0):
        response = ua.PublishResponse()
        response.Parameters.SubscriptionId = 7
        response.Parameters.NotificationMessage.SequenceNumber = sequence
        if news:
            response.Parameters.NotificationMessage.NotificationData = [ua.DataChangeNotification()]
        self.requests.pop(request)[1].set_result(Buffer(struct_to_binary(response)))

    def refuse(self, error, request=0):
        self.requests.pop(request)[1].set_exception(error)


class Ears:
    """Whoever is told."""

    def __init__(self):
        self.heard, self.lost, self.undecodable = [], 0, []

    async def take(self, notification):
        self.heard.append(notification.sequence)

    def lose(self):
        self.lost += 1


@contextlib.asynccontextmanager
async def publishing(subscriptions):
    line, ears = Line(), Ears()
    made = Publishing(line, ears.take, ears.lose, ears.undecodable.append)
    made.serve(subscriptions)
    running = asyncio.create_task(made.run())
    await until(lambda: len(line.requests) == subscriptions + SPARE)
    try:
        yield made, line, ears, running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_there_is_always_a_request_more_than_subscriptions_and_news_are_acknowledged():
    async with publishing(2) as (_, line, ears, _):
        line.answer(1)
        line.answer(2, news=False)
        await until(lambda: len(line.requests) == 3 and ears.heard == [1, 2])
        acknowledged = [one.SequenceNumber for read, _ in line.requests for one in read]
        assert acknowledged == [1], "signs of life are not"


async def test_a_server_that_keeps_fewer_requests_gets_fewer():
    async with publishing(3) as (_, line, ears, _):
        line.refuse(ua.uaerrors.BadTooManyPublishRequests())
        line.answer(1)
        await until(lambda: ears.heard == [1])
        await asyncio.sleep(0.02)
        assert len(line.requests) == 3


async def test_a_request_that_timed_out_is_made_again():
    async with publishing(1) as (_, line, _, _):
        line.refuse(ua.uaerrors.BadTimeout())
        await until(lambda: len(line.requests) == 2)


async def test_a_server_without_subscriptions_is_not_asked_on():
    async with publishing(1) as (_, line, ears, _):
        line.refuse(ua.uaerrors.BadNoSubscription())
        await until(lambda: ears.lost == 1)
        await asyncio.sleep(0.02)
        assert len(line.requests) == 1


@pytest.mark.parametrize("error", [ua.uaerrors.BadSessionIdInvalid(), ConnectionError("reset")])
async def test_the_end_of_the_session_is_the_end(error):
    async with publishing(1) as (_, line, _, running):
        line.refuse(error)
        with pytest.raises(type(error)):
            await asyncio.wait_for(running, 30)


async def test_answers_to_an_earlier_session_count_and_its_end_does_not():
    async with publishing(1) as (made, line, ears, running):
        line.answer(1)
        await until(lambda: ears.heard == [1] and len(line.requests) == 2)
        made.begin_session()
        made.serve(1)
        await until(lambda: len(line.requests) == 4)
        assert line.requests[2][0] == [], "nothing of the earlier session is acknowledged"
        line.refuse(ua.uaerrors.BadSessionClosed())
        line.answer(2)
        await until(lambda: ears.heard == [1, 2])
        assert not running.done()


async def test_what_cannot_be_decoded_is_told():
    async with publishing(1) as (_, line, ears, _):
        line.requests.pop(0)[1].set_result(Buffer(b"\x01\x00\x3d\x03"))
        await until(lambda: len(ears.undecodable) == 1 and len(line.requests) == 2)


async def test_nodes_whose_reports_cannot_be_decoded_are_polled(driver, plant, monkeypatch):
    async with watching(driver, at("Changing", "Door")) as listener:
        await listener.until(lambda: len(listener.heard) == 2)

        def fail(answer):
            raise ValueError("strange bytes")

        with monkeypatch.context() as patched:
            patched.setattr("edge_agent_opcua.publishing.parse", fail)
            plant.run(plant.first.change("Changing", 900.0))
            await listener.until(lambda: listener.unwatched == {0: [0, 1]})
        assert driver.evidence["undecodable"] >= 1
        read = await driver.read(driver.plan(at("Changing", "Door"), {}))
        assert read.values == [900.0, True]
