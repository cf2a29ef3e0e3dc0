"""Reads OPC UA servers: values by node id, with the server's own quality and time."""

from importlib.util import find_spec

from edge_agent_opcua.address import OpcUaAddress
from edge_agent_opcua.config import OpcUaSettings
from edge_agent_opcua.driver import OpcUaDriver

__all__ = ["OpcUaAddress", "OpcUaDriver", "OpcUaSettings"]

# asyncua costs up to a second and 25 MB, so it is imported when a session opens. Whoever
# configures this driver without it must hear so at once, not hours later from a poller.
if find_spec("asyncua") is None:
    raise ModuleNotFoundError("No module named 'asyncua'", name="asyncua")
