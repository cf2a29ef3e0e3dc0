"""What has to be known to read some nodes of one device. Pure; imports no asyncua."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_agent.driver import Learnt, Plan
from edge_agent_opcua.address import OpcUaAddress

_PATHS = "paths"
"""Key of what is learnt about a device: nodes named by numbers -> their browse paths."""


@dataclass(frozen=True, slots=True)
class OpcUaPlan(Plan[OpcUaAddress]):
    """Nodes to read, and the browse paths learnt of those that are named by numbers."""

    paths: Mapping[str, str] = field(default_factory=dict)


def paths_in(learnt: Learnt) -> Mapping[str, str]:
    """Give the browse paths in what is learnt about a device."""
    paths: Mapping[str, str] = learnt.get(_PATHS, {})
    return paths


def lesson(paths: Mapping[str, str]) -> Learnt:
    """Make what is learnt about a device of browse paths."""
    return {_PATHS: dict(paths)}


def paths_of(plan: Plan[OpcUaAddress]) -> Mapping[str, str]:
    """Give the browse paths known in a plan."""
    return plan.paths if isinstance(plan, OpcUaPlan) else {}
