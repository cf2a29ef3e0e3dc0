"""Placeholder while this driver is being written."""
