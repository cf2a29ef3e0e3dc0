"""The failures that are expected: few, named after what happened, saying what the agent will do."""

from collections.abc import Iterable
from typing import NamedTuple

from edge_agent.language import _


class EdgeAgentError(Exception):
    """Anything the agent expects to go wrong; the message is one sentence for a person."""


class DriverError(EdgeAgentError):
    """Something failed between a driver and its equipment."""


class ConnectionLost(DriverError):  # noqa: N818 - named after what happened
    """The link itself is gone: the poller closes the driver, waits and opens it again.

    Attributes:
        retry_after: Seconds to wait where trying costs nothing, as with a port that is not plugged
            in; None to wait longer and longer.
        code: `E-...`, what the documentation explains it under; empty where that is `E-LINK-DOWN`.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, code: str = "") -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.code = code


class NoResponse(DriverError):  # noqa: N818 - named after what happened
    """The link works but this device is silent: its neighbours on the line are still read."""


class DriverUnavailable(EdgeAgentError):  # noqa: N818 - named after what happened
    """No driver of that name can be loaded: not installed, two of one name, or an extra missing."""


class ProfileUnavailable(EdgeAgentError):  # noqa: N818 - named after what happened
    """No device profile of that name can be loaded."""


class Problem(NamedTuple):
    """One mistake in the configuration, or one thing in it that is probably not meant.

    Attributes:
        path: Where it stands, such as `connections[0].devices[1].address.unit`; empty for the
            file as a whole.
        line: Line in the file, counted from 1; None for the file as a whole.
        message: What is wrong, in plain words.
        hint: What to write instead; empty where there is nothing to propose.
    """

    path: str
    line: int | None
    message: str
    hint: str = ""

    def __str__(self) -> str:
        line = _("line {line}").format(line=self.line) if self.line is not None else ""
        place = ", ".join(part for part in (line, self.path) if part)
        sentence = f"{place}: {self.message}" if place else self.message
        return f"{sentence}; {self.hint}" if self.hint else sentence


class ConfigInvalid(EdgeAgentError):  # noqa: N818 - named after what happened
    """The configuration has mistakes, all of them listed; nothing was opened."""

    def __init__(self, problems: Iterable[Problem], file: str = "") -> None:
        self.problems = tuple(problems)
        first, *others = map(str, self.problems)
        more = (
            _(" (and {others} more: `edge-agent check` lists them)").format(others=len(others))
            if others
            else ""
        )
        super().__init__(f"{file}: {first}{more}" if file else first + more)


class BufferUnavailable(EdgeAgentError):  # noqa: N818 - named after what happened
    """The disk refuses the buffer; readings live in memory only until it comes back."""


class BrokerUnavailable(EdgeAgentError):  # noqa: N818 - named after what happened
    """The broker cannot be reached or refuses us: the publisher waits and tries again."""


class CommandFailed(EdgeAgentError):  # noqa: N818 - named after what happened
    """A command ends with this exit code and this sentence on stderr."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
