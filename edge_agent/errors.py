"""The failures that are expected: few, named after what happened, saying what the agent will do."""


class EdgeAgentError(Exception):
    """Anything the agent expects to go wrong; the message is one sentence for a person."""


class DriverError(EdgeAgentError):
    """Something failed between a driver and its equipment."""


class ConnectionLost(DriverError):  # noqa: N818 - named after what happened
    """The link itself is gone: the poller closes the driver, waits and opens it again."""


class NoResponse(DriverError):  # noqa: N818 - named after what happened
    """The link works but this device is silent: its neighbours on the line are still read."""


class DriverUnavailable(EdgeAgentError):  # noqa: N818 - named after what happened
    """No driver of that name can be loaded: not installed, two of one name, or an extra missing."""


class BufferUnavailable(EdgeAgentError):  # noqa: N818 - named after what happened
    """The disk refuses the buffer; readings live in memory only until it comes back."""


class BrokerUnavailable(EdgeAgentError):  # noqa: N818 - named after what happened
    """The broker cannot be reached or refuses us: the publisher waits and tries again."""


class CommandFailed(EdgeAgentError):  # noqa: N818 - named after what happened
    """A command ends with this exit code and this sentence on stderr."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
