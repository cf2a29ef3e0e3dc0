"""Writes the page that explains the codes of faults: `python -m edge_agent_modbus.fault_page`."""

from edge_agent.driver import Diagnosis
from edge_agent_modbus.faults import Fault

_HEAD = """\
# Faults of lines and devices

<!-- made by `python -m edge_agent_modbus.fault_page`; a test keeps it fresh -->

When something is wrong with a device, its retained status (`ROOT/<device>/status`), the log and
`edge-agent status` name a code, what is wrong and what to do next. A device that answers, but not
well, is `up` with a code; one that does not is `silent`. The log mentions a device at most once in
five minutes and then says how many changes it left out.

A device that has not answered three times is asked only now and then, with one short request, so
that its timeouts do not cost its neighbours their polls: at least every 25 s, and less often (60 s,
300 s) only while such requests would take more than a twentieth of the line's time. As soon as it
answers, all its points are read.

| code | what is wrong | what to do |
|---|---|---|
"""

_AGENT = (
    Diagnosis(
        "E-DEVICE-SILENT",
        "The device does not answer, and its driver cannot say more",
        "check its power, cable and address",
    ),
    Diagnosis(
        "E-LINK-DOWN",
        "The link is gone: a serial port, a network connection, a session",
        "do what the message says; it is opened again by itself",
    ),
    Diagnosis(
        "E-LINE-OVERLOADED",
        "The line cannot carry all polls; the message says which interval is possible",
        "raise `every` of some points, or split the line; `edge-agent check` works it out",
    ),
)


def page() -> str:
    """Write the page that explains every code."""
    rows = (*_AGENT, *(fault.value for fault in Fault))
    return _HEAD + "".join(
        f"| `{code}` | {sentence} | {action} |\n" for code, sentence, action in rows
    )


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - what it is for
