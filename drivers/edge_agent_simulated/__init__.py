"""The smallest driver: sine waves without any equipment. Copy it to start one of your own."""

from edge_agent_simulated.driver import SimulatedDriver, SimulatedSettings, SineAddress

__all__ = ["SimulatedDriver", "SimulatedSettings", "SineAddress"]
