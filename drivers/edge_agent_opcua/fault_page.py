"""Writes the page that explains the codes of OPC UA: `python -m edge_agent_opcua.fault_page`."""

from edge_agent_opcua.catalogue import Fault
from edge_agent_opcua.faults import trust_command

_HEAD = """\
# Faults of OPC UA servers

<!-- made by `python -m edge_agent_opcua.fault_page`; a test keeps it fresh -->

When something is wrong with a server, its certificate, a user or a node, the retained status of
each device behind it (`ROOT/<device>/status`), the log and `edge-agent status` name a code, what is
wrong and what to do next. Up to `E-OPCUA-SECRET-FILE` nothing is read and the device is `down`;
after it the device is `up` and says so beside its readings. What a person or the right time has to
settle (trust, clock, files) is tried again every 20 s, everything else at growing intervals up to a
minute.

| code | what is wrong | what to do |
|---|---|---|
"""

_PLACES = {
    "url": "URL", "detail": "...", "own": "THUMBPRINT", "trust": trust_command("URL"),
}  # fmt: skip


def page() -> str:
    """Write the page that explains every code."""
    rows = (tuple(part.format(**_PLACES) for part in fault.value) for fault in Fault)
    return _HEAD + "".join(
        f"| `{code}` | {sentence[0].upper()}{sentence[1:]} | {action} |\n"
        for code, sentence, action in rows
    )


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - what it is for
