"""One deadline after another for a task that waits again and again."""

import asyncio
from types import TracebackType


class Deadline:
    """What `asyncio.timeout` does, at a fraction of its cost.

    Nearly every wait is over long before its deadline. A timer for each would be made, sorted in
    and cancelled for nothing. Here a timer, once set, runs on; only when it goes off it looks at
    the deadline of that moment, and is set anew if there is one.

    It is for one task, and for one wait at a time.
    """

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._seconds = self._at = 0.0
        self._cancelling = 0
        self._is_over = False

    def within(self, seconds: float) -> "Deadline":
        """Give what a `with` block has so many seconds for; then it ends with a TimeoutError."""
        self._seconds = seconds
        return self

    def __enter__(self) -> None:
        if self._task is not None:
            raise RuntimeError("two waits at a time with one deadline")
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("only a task can be told that its time is over")
        self._task, self._cancelling, self._is_over = task, task.cancelling(), False
        self._at = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(self._at, self._look)
        elif self._timer.when() > self._at:
            self._timer.cancel()
            self._timer = loop.call_at(self._at, self._look)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        task, self._task = self._task, None
        if not self._is_over or task is None:
            return
        # Somebody else may have cancelled the task as well; that is not ours to take back.
        if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _look(self) -> None:
        self._timer = None
        if self._task is None:
            return
        loop = asyncio.get_running_loop()
        if self._at > loop.time():
            self._timer = loop.call_at(self._at, self._look)
        else:
            self._is_over = True
            self._task.cancel()
