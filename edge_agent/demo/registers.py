"""What the demo's Modbus machines show in their tables: pure, and deliberately not all alike.

Three makers, three habits: big-endian words in a PLC, swapped words (CDAB) in one meter, scaled
integers in the other. `factory.yaml` is the other half of this page.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

from edge_agent.demo.factory import Factory
from edge_agent.demo.machines import PressState

ORDER_NUMBER = "A-2417/3"


class Tables(NamedTuple):
    """A machine's four tables at one instant, each from offset 0.

    Source of the four: MODBUS Application Protocol V1.1b3, 4.3.
    """

    coils: tuple[bool, ...] = ()
    discrete: tuple[bool, ...] = ()
    holding: tuple[int, ...] = ()
    input: tuple[int, ...] = ()


Machine = Callable[[], Tables]
"""Gives a machine's tables as they are now."""


def press(factory: Factory) -> Tables:
    """The PLC of the press: big-endian, tenths as integers, bits as bits."""
    machine = factory.press
    running = machine.state is PressState.RUNNING
    return Tables(
        coils=(machine.speed > 1.0, machine.state is not PressState.FAULT),
        discrete=(machine.guard_closed, running, machine.state is PressState.FAULT),
        holding=_words(
            ">HIHhH16s",
            machine.state,
            machine.strokes,
            round(machine.speed * 10),
            round(machine.oil_temperature * 10),
            round(machine.force),
            ORDER_NUMBER.encode("ascii"),
        ),
        input=(0,),
    )


def press_meter(factory: Factory) -> Tables:
    """A meter that sends 32 bit with the low word first (CDAB)."""
    meter = factory.press_meter
    values = (*meter.voltages, *meter.currents, meter.power, meter.power_factor, meter.frequency)
    words = _words(f">{len(values)}fI", *values, round(meter.energy * 1000))
    return Tables(input=tuple(words[index ^ 1] for index in range(len(words))))


def oven_meter(factory: Factory) -> Tables:
    """A meter of scaled integers: 0.1 V, 0.01 A, W, Wh."""
    meter = factory.oven_meter
    return Tables(
        holding=_words(
            ">3H3HiHQ",
            *(round(voltage * 10) for voltage in meter.voltages),
            *(round(current * 100) for current in meter.currents),
            round(meter.power * 1000),
            round(meter.frequency * 100),
            round(meter.energy * 1000),
        )
    )


def _words(layout: str, *values: float | bytes) -> tuple[int, ...]:
    packed = struct.pack(layout, *values)
    return struct.unpack(f">{len(packed) // 2}H", packed)
