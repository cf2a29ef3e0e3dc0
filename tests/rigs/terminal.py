"""Ends what runs at a terminal: pexpect waits tenths of a second, and a busy machine needs more."""

from typing import Any

import pexpect


def hang_up(terminal: Any) -> None:
    """End it, whatever it is at."""
    try:
        terminal.close(force=True)
    except pexpect.ExceptionPexpect:  # killed, but not dead yet
        terminal.ptyproc.wait()
