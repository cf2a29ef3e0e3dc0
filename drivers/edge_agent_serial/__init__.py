"""Reads instruments that speak lines of text, over a serial port or TCP."""

from edge_agent_serial.config import SerialAddress, SerialSettings
from edge_agent_serial.driver import SerialDriver

__all__ = ["SerialAddress", "SerialDriver", "SerialSettings"]
