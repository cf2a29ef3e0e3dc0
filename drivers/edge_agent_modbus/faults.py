"""What can be wrong with a device or its line, in words for who stands before it. Pure.

Source of the hints: MODBUS over Serial Line V1.02, 3.4 (multipoint system: polarisation, line
termination, common); V1.1b3, 7 (exception codes).
"""

from enum import Enum

from edge_agent.driver import Diagnosis
from edge_agent.language import later


class Fault(Enum):
    """Everything that can be told apart."""

    SILENT = Diagnosis(
        "E-BUS-SILENT",
        later("Nobody on this line answers, and nothing is heard"),
        later(
            "check in this order: power of the devices; wires A and B swapped (the "
            "most common); the third wire (GND); baud, parity and unit as set in the "
            "device; its protocol is Modbus RTU"
        ),
    )
    ABSENT = Diagnosis(
        "E-BUS-ABSENT",
        later("This device alone is silent, its neighbours on the line answer"),
        later(
            "check its power, its unit number, and its own two wires (A and B "
            "swapped at its terminals only); a new device may still have the number "
            "it was delivered with, mostly 1"
        ),
    )
    NUMBER = Diagnosis(
        "E-BUS-NUMBER",
        later("Another number answers than the one that was asked for"),
        later(
            "take the number that answers, or set the wanted one in the device's own "
            "menu; `edge-agent setup` says this where a number was typed"
        ),
    )
    GARBAGE = Diagnosis(
        "E-BUS-GARBAGE",
        later("Bytes come, but no valid message"),
        later(
            "baud, parity or stop bits differ between the device and this file: look "
            "them up in the device's menu (9600 none and 9600 even are the most "
            "common); if they are right, swap A and B"
        ),
    )
    CHECKSUM = Diagnosis(
        "E-BUS-CHECKSUM",
        later("Some answers arrive damaged"),
        later(
            "the line is disturbed: put 120 ohm between A and B at both ends and "
            "nowhere else, connect GND, keep the cable away from motor cables, "
            "connect its shield at one end"
        ),
    )
    ECHO = Diagnosis(
        "E-BUS-ECHO",
        later("The adapter hears what it sends; that is filtered out"),
        later("nothing needs to be done; many adapters have a switch or jumper that ends it"),
    )
    ECHO_ONLY = Diagnosis(
        "E-BUS-ECHO",
        later("The adapter hears only what it sends, and no device answers"),
        later(
            "the echo itself is filtered out; check the wires from the adapter to "
            "the devices, A and B swapped, and their power"
        ),
    )
    REFUSED = Diagnosis(
        "E-BUS-REFUSED",
        later("The device answers and refuses to give some values"),
        later(
            "compare their table and offset with its manual: many manuals count from "
            "1, and `test` names each refused address"
        ),
    )
    FOREIGN = Diagnosis(
        "E-BUS-FOREIGN",
        later(
            "Someone else talks on this line: another master, such as a PLC, a panel "
            "or a second gateway"
        ),
        later(
            "two masters on one line corrupt each other: disconnect the other one, "
            "read its values over its network port instead, or use a line of its own"
        ),
    )
    DUPLICATE = Diagnosis(
        "E-BUS-DUPLICATE",
        later("Two devices answer to this unit number at the same time"),
        later(
            "unplug this device: if the number still answers, another one has it "
            "too; give each device on the line a number of its own"
        ),
    )
    LATE = Diagnosis(
        "E-BUS-LATE",
        later("Answers come, but after the timeout"),
        later(
            "raise `timeout` of the connection, or leave it out so that it is "
            "learnt; behind a gateway it must be longer than the gateway's own"
        ),
    )
    MISMATCHED = Diagnosis(
        "E-BUS-MISMATCHED",
        later("The device sends proper messages that answer something else"),
        later(
            "another master may ask the same device: disconnect it; else the device "
            "does not keep to Modbus, tell us its make"
        ),
    )
    GATEWAY = Diagnosis(
        "E-GATEWAY",
        later("The gateway answers that the device behind it does not"),
        later(
            "the network is fine: check the device's power, unit number and wires on "
            "the gateway's serial side, and the gateway's own baud and parity"
        ),
    )
    NETWORK_SILENT = Diagnosis(
        "E-NET-SILENT",
        later("The connection stands, but this unit does not answer"),
        later(
            "check the unit number (behind a gateway that of the device, else mostly "
            "1, 255 or 0), and whether Modbus TCP is switched on there"
        ),
    )
    NETWORK_GARBAGE = Diagnosis(
        "E-NET-PROTOCOL",
        later("What comes is no Modbus TCP"),
        later(
            "the gateway passes on raw frames: write `transport: rtu-over-tcp`, or "
            "switch it to Modbus TCP"
        ),
    )
