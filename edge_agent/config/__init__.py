"""The configuration: one file, checked completely before anything opens.

`load` gives a configuration or every mistake at once; `inspect` and `parse` also give warnings.
They are imported when first used: reading YAML takes memory that the daemon need not spend, which
leaves that to `edge_agent.config.apart`.
"""

from typing import TYPE_CHECKING, Any

from edge_agent.config.model import Config
from edge_agent.errors import ConfigInvalid, Problem

if TYPE_CHECKING:
    from edge_agent.config.loading import Inspection, inspect, load, parse

__all__ = ["Config", "ConfigInvalid", "Inspection", "Problem", "inspect", "load", "parse"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from edge_agent.config import loading  # noqa: PLC0415 - see above

    return getattr(loading, name)
