"""Writes a configuration as YAML that means what it says. Pure."""

from edge_agent.setup.draft import Values
from edge_agent.site import writing

HEADER = "# Written by edge-agent setup. Check changes with: edge-agent check\n"


def as_yaml(document: Values) -> str:
    """Write a configuration as YAML; the same one always gives the same bytes."""
    return HEADER + writing.as_yaml(document)
