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
Needs pytest and pytest-asyncio in auto mode. A driver whose equipment reports changes by itself
inherits `WatchingContract`, which adds the promises about that.
"""

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from edge_agent.driver import (
    Address,
    Changes,
    ConnectionLost,
    DriverError,
    NoResponse,
    Quality,
    WatchGroup,
    WatchingDriver,
)
from edge_agent.model import Sample, Value
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
        change: Gives the first good address another value, and returns it as the driver reports
            it; for a `WatchingDriver`.
        every: Seconds between changes that are asked for.
        patience: Seconds after which a change must have been reported.
    """

    driver: AnyDriver
    good: list[Any]
    cut: Callable[[], Awaitable[None] | None]
    refused: Address | None = None
    silence: Callable[[], Awaitable[None] | None] | None = None
    allowed_values: tuple[type, ...] = field(default=(bool, int, float, str))
    change: Callable[[], Awaitable[Value] | Value] | None = None
    every: float = 0.1
    patience: float = 5.0


async def _do(action: Callable[[], Awaitable[Any] | Any]) -> Any:
    result = action()
    return await result if inspect.isawaitable(result) else result


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


class WatchingContract(DriverContract):
    """The promises of a driver whose equipment reports changes; `Rig.change` is needed."""

    @contextlib.asynccontextmanager
    async def _watching(self, rig: Rig, *groups: list[Any]) -> AsyncIterator["_Listener"]:
        assert isinstance(rig.driver, WatchingDriver)
        assert rig.driver.is_watching
        await rig.driver.open()
        try:
            wanted = [WatchGroup(rig.driver.plan(one, {}), rig.every, {}) for one in groups]
            await rig.driver.watch(wanted)
            yield _Listener(rig.driver, rig.patience)
        finally:
            await rig.driver.close()

    async def _changed(self, rig: Rig) -> Value:
        assert rig.change is not None, "give the rig a `change`"
        value: Value = await _do(rig.change)
        return value

    async def test_every_present_value_is_reported_first(self, rig: Rig) -> None:
        async with self._watching(rig, rig.good, rig.good[::-1]) as listener:
            await listener.until(
                lambda heard: all(heard.get((group, i)) for group in (0, 1) for i in _of(rig.good))
            )
        for samples in listener.heard.values():
            assert samples[0].flaw is None, samples[0]
            assert isinstance(samples[0].value, rig.allowed_values)

    async def test_a_change_is_reported_where_it_happened(self, rig: Rig) -> None:
        async with self._watching(rig, rig.good[1:], rig.good) as listener:
            await listener.until(lambda heard: (1, 0) in heard)
            values = [await self._changed(rig)]
            await listener.until(lambda heard: heard[1, 0][-1].value == values[-1])
            values.append(await self._changed(rig))
            await listener.until(lambda heard: heard[1, 0][-1].value == values[-1])
        reported = [sample.value for sample in listener.heard[1, 0]]
        assert reported[-2:] == values

    async def test_a_cancelled_wait_loses_no_change(self, rig: Rig) -> None:
        async with self._watching(rig, rig.good) as listener:
            await listener.until(lambda heard: (0, 0) in heard)
            value = await self._changed(rig)
            async with asyncio.timeout(rig.patience):
                while listener.heard[0, 0][-1].value != value:
                    await listener.interrupted()

    async def test_it_is_read_between_changes(self, rig: Rig) -> None:
        if not rig.driver.reads_watched:  # type: ignore[attr-defined]  # it is a WatchingDriver
            pytest.skip("this equipment cannot be read at any time")
        async with self._watching(rig, rig.good) as listener:
            await listener.until(lambda heard: (0, 0) in heard)
            value = await self._changed(rig)
            assert len(await self._read(rig, rig.good)) == len(rig.good)
            await listener.until(lambda heard: heard[0, 0][-1].value == value)

    async def test_what_cannot_be_watched_is_bad_and_spoils_no_other(self, rig: Rig) -> None:
        if rig.refused is None:
            pytest.skip("this protocol has no refusals")
        wanted = [rig.good[0], rig.refused, rig.good[1]]
        async with self._watching(rig, wanted) as listener:
            await listener.until(lambda heard: all((0, index) in heard for index in _of(wanted)))
        flaws = [listener.heard[0, index][0].flaw for index in _of(wanted)]
        assert [flaw is None for flaw in flaws] == [True, False, True]
        assert len(listener.heard[0, 1]) == 1, "it is said once"
        assert listener.heard[0, 1][0].value is None

    async def test_a_link_lost_while_watching_is_a_driver_error(self, rig: Rig) -> None:
        async with self._watching(rig, rig.good) as listener:
            await listener.until(lambda heard: (0, 0) in heard)
            await _do(rig.cut)
            with pytest.raises(DriverError) as caught:
                await listener.until(lambda heard: False)
        assert str(caught.value)

    async def test_it_watches_again_after_a_close(self, rig: Rig) -> None:
        for _ in range(2):
            async with self._watching(rig, rig.good) as listener:
                await listener.until(lambda heard: (0, 0) in heard)


class _Listener:
    """Fetches changes; keeps what was heard of each address, by group and index."""

    def __init__(self, driver: WatchingDriver[Any, Any], patience: float) -> None:
        self.heard: dict[tuple[int, int], list[Sample]] = {}
        self._driver, self._patience = driver, patience

    async def until(self, condition: Callable[[dict[tuple[int, int], list[Sample]]], bool]) -> None:
        """Listen until the condition holds; fails when that takes too long."""
        async with asyncio.timeout(self._patience):
            while not condition(self.heard):
                self._note(await self._driver.changes())

    async def interrupted(self) -> None:
        """Listen for an instant only, as often as the agent has something else to do."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.001):
                self._note(await self._driver.changes())

    def _note(self, changes: Sequence[Changes]) -> None:
        for one in changes:
            assert len(one.indices) == len(one.samples)
            for index, sample in zip(one.indices, one.samples, strict=True):
                self.heard.setdefault((one.group, index), []).append(sample)


def _of(addresses: list[Any]) -> range:
    return range(len(addresses))
