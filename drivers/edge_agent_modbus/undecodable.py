"""What is raised where registers hold no value."""

from edge_agent.driver import Why


class Undecodable(ValueError):  # noqa: N818 - named after what happened
    """The registers hold nothing that this type can mean.

    Attributes:
        why: The reason that is published.
    """

    def __init__(self, message: str, why: Why = Why.DECODE_ERROR) -> None:
        super().__init__(message)
        self.why = why
