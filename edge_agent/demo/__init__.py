"""A small factory that moves believably, shown from its machines to an MQTT subscriber."""
