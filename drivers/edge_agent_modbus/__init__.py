"""Reads Modbus devices over TCP and serial lines, and can do nothing but read."""

from edge_agent_modbus.address import ModbusAddress
from edge_agent_modbus.config import ModbusSettings
from edge_agent_modbus.driver import ModbusDriver

__all__ = ["ModbusAddress", "ModbusDriver", "ModbusSettings"]
