"""Public contract tests: every driver inherits `DriverContract` and so keeps its promises.

    class TestMyDriver(DriverContract):
        @pytest.fixture
        async def rig(self, server):
            return Rig(
                driver=MyDriver(MySettings(port=server.port)),
                good=[MyAddress(at="a"), MyAddress(at="b")],
                refused=MyAddress(at="no such thing"),
                cut=server.stop,
            )

Run it against something real: a server in the test's process, or a pseudo-terminal.
Needs pytest and pytest-asyncio in auto mode.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from edge_agent.driver import Address, ConnectionLost, DriverError, NoResponse, Quality
from edge_agent.model import Sample
from edge_agent.plugins import AnyDriver


@dataclass
class Rig:
    """A driver and the equipment it is tried on.

    Attributes:
        driver: Made, not yet opened.
        good: At least two addresses of one device that can be read.
        refused: An address that the same device refuses; None if the protocol has no refusals.
        cut: Takes the equipment away (server stopped, cable pulled).
        silence: Makes the device fall silent while the link stays up; None if that cannot happen.
    """

    driver: AnyDriver
    good: list[Any]
    cut: Callable[[], Awaitable[None] | None]
    refused: Address | None = None
    silence: Callable[[], Awaitable[None] | None] | None = None
    allowed_values: tuple[type, ...] = field(default=(bool, int, float, str))


async def _do(action: Callable[[], Awaitable[None] | None]) -> None:
    result = action()
    if inspect.isawaitable(result):
        await result


class DriverContract:
    """The promises of a driver. Subclass it as `TestX` and provide the fixture `rig`."""

    async def _read(self, rig: Rig, addresses: list[Any]) -> list[Sample]:
        plan = rig.driver.plan(addresses, {})
        assert list(plan.addresses) == addresses
        assert plan.patience > 0
        return list(await asyncio.wait_for(rig.driver.read(plan), plan.patience))

    async def test_one_sample_comes_per_address_in_order(self, rig: Rig) -> None:
        await rig.driver.open()
        try:
            there = await self._read(rig, rig.good)
            back = await self._read(rig, rig.good[::-1])
        finally:
            await rig.driver.close()
        assert len(there) == len(back) == len(rig.good)
        for sample in (*there, *back):
            assert sample.flaw is None, sample
            assert isinstance(sample.value, rig.allowed_values)

    async def test_a_refused_address_spoils_no_other(self, rig: Rig) -> None:
        if rig.refused is None:
            pytest.skip("this protocol has no refusals")
        await rig.driver.open()
        try:
            samples = await self._read(rig, [rig.good[0], rig.refused, rig.good[1]])
        finally:
            await rig.driver.close()
        assert [sample.flaw is None for sample in samples] == [True, False, True]
        assert samples[1].value is None
        assert samples[1].flaw is not None
        assert samples[1].flaw.quality is Quality.BAD

    async def test_a_silent_device_is_no_response(self, rig: Rig) -> None:
        if rig.silence is None:
            pytest.skip("this equipment cannot fall silent")
        await rig.driver.open()
        try:
            await self._read(rig, rig.good)
            await _do(rig.silence)
            with pytest.raises(NoResponse):
                await self._read(rig, rig.good)
        finally:
            await rig.driver.close()

    async def test_a_lost_link_is_a_driver_error_that_says_something(self, rig: Rig) -> None:
        await rig.driver.open()
        try:
            await self._read(rig, rig.good)
            await _do(rig.cut)
            with pytest.raises(DriverError) as caught:
                await self._read_until_error(rig)
        finally:
            await rig.driver.close()
        assert str(caught.value)

    async def _read_until_error(self, rig: Rig) -> None:
        for _ in range(10):  # a stream may hand out what it had already received
            await self._read(rig, rig.good)

    async def test_open_fails_with_connection_lost_and_can_be_closed(self, rig: Rig) -> None:
        await _do(rig.cut)
        with pytest.raises(ConnectionLost) as caught:
            await rig.driver.open()
        await rig.driver.close()
        assert str(caught.value)

    async def test_close_is_safe_twice_and_before_open(self, rig: Rig) -> None:
        await rig.driver.close()
        await rig.driver.open()
        await rig.driver.close()
        await rig.driver.close()

    async def test_it_opens_again_after_a_close(self, rig: Rig) -> None:
        for _ in range(2):
            await rig.driver.open()
            samples = await self._read(rig, rig.good)
            await rig.driver.close()
            assert all(sample.flaw is None for sample in samples)

    async def test_planning_is_pure(self, rig: Rig) -> None:
        first = rig.driver.plan(rig.good, {})
        assert rig.driver.plan(rig.good, {}).addresses == first.addresses

    async def test_a_cancelled_read_leaves_the_next_one_right(self, rig: Rig) -> None:
        await rig.driver.open()
        try:
            before = await self._read(rig, rig.good)
            task = asyncio.ensure_future(rig.driver.read(rig.driver.plan(rig.good, {})))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            after = await self._read(rig, rig.good)
        finally:
            await rig.driver.close()
        assert [type(s.value) for s in after] == [type(s.value) for s in before]
