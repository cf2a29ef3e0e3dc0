"""Reads scales, gauges, meters, code readers and other instruments, by recipes."""

from edge_agent_serial.address import SerialAddress
from edge_agent_serial.config import SerialSettings
from edge_agent_serial.driver import SerialDriver

__all__ = ["SerialAddress", "SerialDriver", "SerialSettings"]
