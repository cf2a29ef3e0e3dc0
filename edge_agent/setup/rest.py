"""Lets the running agent rest while its machines are set up: two programs on one line spoil both.

However the setup ends, by its last question, a lost line, a kill or a fault of its own, the agent
is started again: a small process of its own waits for our end and does that.
"""

import contextlib
import subprocess
from collections.abc import Iterator, Sequence

from edge_agent.supervisor import UNIT, Service

WAKE = ("systemctl", "start", UNIT)
WAKE_SECONDS = 120.0  # the unit allows a start 90
WAIT_FOR_OUR_END = 'cat > /dev/null; exec "$@"'  # what it reads ends when we do


def resting_if_running(service: Service | None) -> contextlib.AbstractContextManager[None]:
    """Stop the agent for the block if it runs; see `resting`."""
    if service is None or not service.runs():
        return contextlib.nullcontext()
    return resting(service, WAKE)


@contextlib.contextmanager
def resting(service: Service, wake: Sequence[str] = WAKE) -> Iterator[None]:
    """Stop the agent for the block; whatever ends the block, it runs again soon after.

    Args:
        service: The agent's.
        wake: The command that starts it; nothing happens where it runs already.

    Raises:
        ServiceFailed: It did not stop.
    """
    keeper = subprocess.Popen(  # noqa: S603 - fixed words
        ["/bin/sh", "-c", WAIT_FOR_OUR_END, "sh", *wake],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what ends our terminal must not end it
    )
    try:
        service.stop()
        yield
    finally:
        if keeper.stdin:
            keeper.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            keeper.wait(WAKE_SECONDS)
