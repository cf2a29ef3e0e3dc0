"""Keeps signals from ending halfway what has to be finished."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def orderly() -> Iterator[None]:
    """Let no lost terminal end the change halfway, and end it in order where somebody wants to."""

    def leave(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    with _handling({signal.SIGHUP: _unheard, signal.SIGTERM: leave}):
        yield


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """Let nothing end what must be finished."""
    with _handling({signal.SIGINT: _unheard, signal.SIGTERM: _unheard}):
        yield


def _unheard(number: int, frame: object) -> None:
    """Do nothing; not SIG_IGN, which an agent started meanwhile would inherit."""


@contextlib.contextmanager
def _handling(wanted: dict[signal.Signals, Any]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what signals do
        return
    before = {number: signal.signal(number, how) for number, how in wanted.items()}
    try:
        yield
    finally:
        for number, how in before.items():
            signal.signal(number, how)
