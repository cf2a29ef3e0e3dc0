"""Collects readings from legacy machines, keeps them, and publishes them to MQTT."""

__version__ = "0.1.0"
