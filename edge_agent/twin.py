"""A copy of this process, as it is now, that does some work beside us and hands over what it made.

It shares with us what both have imported already, so it is there at once and takes little memory,
and when it ends it gives back everything. Source: fork(2).
"""

import os
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO, NoReturn


def can_be() -> bool:
    """Tell whether a copy would be whole: it has no other threads, which may hold locks."""
    return threading.active_count() == 1


class Twin:
    """The copy. To be made only where `can_be`.

    Args:
        work: What it does; what that writes to its argument can be read here.

    Attributes:
        stdout: What it writes. End of file comes when it has ended.
    """

    def __init__(self, work: Callable[[BinaryIO], None]) -> None:
        reading, writing = os.pipe()
        self._number = os.fork()
        if not self._number:
            os.close(reading)
            _live(work, writing)
        os.close(writing)
        self.stdout: BinaryIO = os.fdopen(reading, "rb")

    def wait(self) -> int:
        """Wait for its end; give its exit code, or minus the signal that killed it."""
        self.stdout.close()
        return os.waitstatus_to_exitcode(os.waitpid(self._number, 0)[1])


def _live(work: Callable[[BinaryIO], None], writing: int) -> NoReturn:
    """Do the work and end, whatever happens: the copy must never go on as if it were us."""
    code = 1
    try:
        with os.fdopen(writing, "wb") as output:
            work(output)
        code = 0
    except BrokenPipeError:  # we have ended, and what we said of it must stay the last word
        pass
    except BaseException:  # noqa: BLE001 - it ends here, and says why as any process does
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)  # nothing of ours is flushed or closed a second time
