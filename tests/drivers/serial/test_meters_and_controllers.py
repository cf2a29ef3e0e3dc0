"""Meters and controllers on a line, read by the recipes that come with the agent."""

import functools
import operator
import re

import pytest
from dlt645.protocol.protocol import DLT645Protocol
from dlt645.service.serversvc.server_service import MeterServerService
from edge_agent_serial import SerialAddress, SerialDriver, SerialSettings, library
from edge_agent_serial.engine import Engine
from edge_agent_serial.questions import Questions
from hypothesis import assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from edge_agent.driver import Quality, Why
from tests.rigs.instrument import PtyInstrument


def settings(recipe, port="/dev/ttyUSB0", **more):
    return SerialSettings(transport="serial", port=port, recipe=recipe, **more)


def at(field, **parameters):
    return SerialAddress(field=field, **parameters)


async def read(driver, *addresses):
    return list(await driver.read(driver.plan(addresses, {})))


class Meter(PtyInstrument):
    """An electricity meter as the library dlt645 simulates it."""

    def __init__(self, number):
        super().__init__()
        self.meter = MeterServerService(None, bytearray.fromhex(number)[::-1])
        self._rest = b""

    def hear(self, data):
        self._rest += data
        while True:
            self._rest, frame = DLT645Protocol.deserialize_with_remaining(self._rest)
            if frame is None:
                return
            self.requests.append(bytes(frame.data))
            if bytes(frame.addr) == bytes(self.meter.address):
                self.send(bytes(self.meter.handle_request(frame)))


@pytest.mark.thorough
async def test_several_items_of_a_meter_are_read_in_one_cycle():
    line = Meter("000000000161")
    line.meter.set_00(0x00010000, 7502.64)
    line.meter.set_02(0x02010100, 231.9)
    line.meter.set_02(0x02030000, -1.25)
    driver = SerialDriver(settings("dlt645-2007", line.port, baud=9600))
    await driver.open()
    try:
        samples = await read(
            driver,
            at("energy_import", meter=161),
            at("voltage_l1", meter=161),
            at("active_power", meter=161),
            at("reading", meter=161, item="00010000"),
            at("unscaled", meter=161, item="0FFF0000"),
        )
        assert [sample.value for sample in samples] == [7502.64, 231.9, -1.25, 7502.64, None]
        assert samples[-1].flaw.quality is Quality.BAD
        assert samples[-1].flaw.why is Why.REFUSED
        assert len(line.requests) == 4  # the fourth asks what the first one asked
    finally:
        await driver.close()
        await line.cut()


class Controller(PtyInstrument):
    """A controller whose memory is a table: `answers` gives what a request is answered with."""

    def __init__(self, answers):
        super().__init__()
        self.answers = answers

    def hear(self, data):
        self.requests.append(data)
        answer = self.answers.get(data)
        if answer is not None:
            self.send(answer)


def fcs(text):
    return f"{text}{functools.reduce(operator.xor, text.encode()):02X}*\r".encode()


async def test_one_question_brings_all_words_of_a_device():
    line = Controller(
        {
            fcs("@00RD01000003"): fcs("@00RD00" + "0064" + "FFFE" + "0258"),
            fcs("@00RR00000001"): fcs("@00RR00" + "0008"),
            fcs("@00RD99990001"): fcs("@00RD15"),
        }
    )
    driver = SerialDriver(settings("omron-host-link", line.port))
    await driver.open()
    words = {"area": "D", "first": 100, "count": 3}
    try:
        samples = await read(
            driver,
            at("uint16.100", **words),
            at("int16.101", **words),
            at("bcd16.102", **words),
            at("bit03.0", area="R", first=0),
            at("uint16.103", **words),
        )
        assert [sample.value for sample in samples] == [100, -2, 258, True, None]
        assert "uint16.103 is not asked for" in samples[-1].flaw.detail
        assert len(line.requests) == 2
        (refused,) = await read(driver, at("uint16.9999", area="D", first=9999))
        assert refused.value is None
        assert refused.flaw.why is Why.REFUSED
    finally:
        await driver.close()
        await line.cut()


FX, PORT, OMRON = "mitsubishi-fx-link", "mitsubishi-fx-programming-port", "omron-host-link"
METER, CNC, E5CC, FP = "dlt645-2007", "haas-mdc", "omron-compoway-f", "panasonic-mewtocol"
WRONG = [
    (METER, at("voltage_l1"), "meter is missing"),
    (METER, at("voltage_l1", meter="12345678901234"), r"fit '\[0-9\]"),
    (METER, at("voltage_l1", meter="12x"), "meter is '12x', .*: write number on the meter"),
    (METER, at("reading", meter=1), "item is missing"),
    (METER, at("reading", meter=1, item="0201010G"), "does not fit"),
    (METER, at("voltage_l4", meter=1), "voltage_l"),
    (FX, at("uint16.0", first=0), "write device: D"),
    (FX, at("uint16.0", device="M", first=0), "write device: D"),
    (FX, at("bits.0", device="D", first=0), "write device: D"),
    (FX, at("bits.16", device="X", first=16, count=4), "octal"),
    (FX, at("uint16.190", device="CN", first=190, count=20), "32 bits|write device"),
    (FX, at("uint16.0", device="D", first=0, count=65), "from 1 to 64"),
    (FX, at("uint16.0", device="D", first=0, format=2), "format: 1 or 4"),
    (PORT, at("uint16.998", device="D", first=998, count=3), "D0 to D999"),
    (PORT, at("bits.3", device="M", first=3), "eight|write device"),
    (PORT, at("bits.8", device="X", first=8), "octal|write device"),
    (OMRON, at("uint16.0", area="Q", first=0), "does not fit"),
    (OMRON, at("uint16", area="D"), "such as uint16.100"),
    (OMRON, at("uint16", area="D", first=7), "such as uint16.7"),
    (OMRON, at("uint16.103", area="D", first=100, count=3), "uint16.100 to uint16.102"),
    (OMRON, at("uint32.102", area="D", first=100, count=3), "uint32.100 to uint32.101"),
    (PORT, at("bits.32", device="M", first=16, count=2), "bits.16 to bits.31"),
    (OMRON, at("uint16.0", area="D", first=0, count=31), "from 1 to 30"),
    (CNC, at("macro_value"), "macro is missing"),
    (E5CC, at("int16.0", variable="C0"), "4 digits"),
    (E5CC, at("int32.0", variable="C1", count=26), "at most 25"),
]


@pytest.mark.parametrize(("recipe", "address", "advice"), WRONG)
def test_a_point_that_cannot_be_asked_for_says_what_to_write(recipe, address, advice):
    found = SerialDriver.faults(settings(recipe), address)
    assert re.search(advice, "; ".join(found.values())), found


ASKED = [
    (METER, at("voltage_l2", meter=161), "item", {"item": "02010200", "meter": "000000000161"}),
    (METER, at("meter_number"), "number", {}),
    (FX, at("uint16.5", device="TN", first=5), "present_values", {"device": "TN"}),
    (FX, at("bits.5", device="TS", first=5), "contacts", {"device": "TS"}),
    (FX, at("bits.20", device="X", first=20, count=8), "bits", {"device": "X"}),
    (PORT, at("float32.8000", device="D", first=8000, count=2), "registers", {"count": 2}),
    (PORT, at("bits.13", device="M"), "bits", {"first": 8, "count": 1}),
    (PORT, at("bits.23", device="X"), "inputs_and_outputs", {"first": 20}),
    (FX, at("bits.23", device="X"), "bits", {"first": 23, "count": 1}),
    (FX, at("int32.100", device="D"), "registers", {"first": 100, "count": 2}),
    (OMRON, at("bit03.100", area="R"), "words", {"first": 100, "count": 1}),
    (OMRON, at("float32.100", count=10), "words", {"first": 100, "count": 10}),
    (E5CC, at("int32.3", variable="C1"), "double_words", {"first": 3, "count": 1}),
    (FP, at("int32.798"), "registers", {"first": 798, "count": 2}),
    (CNC, at("parts"), "program", {}),
    (E5CC, at("pv"), "double_words", {"variable": "C0", "first": 0, "count": 6}),
    (E5CC, at("int16.3", variable="81", first=3), "words", {"variable": "81"}),
]


@pytest.mark.parametrize(("recipe", "address", "request_name", "parameters"), ASKED)
def test_a_field_finds_its_question(recipe, address, request_name, parameters):
    used = settings(recipe)
    assert not SerialDriver.faults(used, address)
    question = Questions(used.used_recipe, {}).question(address)
    assert question.request == request_name
    assert parameters.items() <= dict(question.parameters).items()


@pytest.mark.parametrize("recipe", [METER, "dlt645-1997", FX, PORT, OMRON, FP, CNC, E5CC])
def test_every_field_that_a_question_is_for_can_be_asked_for(recipe):
    """Presets are of parameters that exist, and what they build is a question."""
    used = settings(recipe)
    values = {"meter": "1", "item": "00010000", "device": "D", "first": 0, "macro": 1}
    if recipe == "dlt645-1997":
        values["item"] = "9010"
    given = {name: values[name] for name in used.used_recipe.parameters.keys() & values.keys()}
    fields = used.used_recipe.fields
    for request in used.used_recipe.requests:
        for field, preset in request.brings.items():
            free = {name: value for name, value in given.items() if name not in preset}
            is_cut = field in fields and fields[field].each is not None
            name = f"{field}.0" if is_cut else field
            address = SerialAddress(field=name, request=request.name, **free)
            faults = SerialDriver.faults(used, address)
            assert not faults or "write" in str(faults), faults


SUMMED = [METER, "dlt645-1997", "iec62056-21", FX, PORT, OMRON, E5CC, FP]
ANSWERS = [
    (recipe, vector)
    for recipe in map(library.load, SUMMED)
    for vector in recipe.vectors
    if vector.octets and not vector.nothing and not vector.frames and vector.flaw == "good"
]


def taken(recipe, vector, data):
    engine = Engine(recipe, {} if vector.request else vector.parameters)
    if vector.request:
        engine.ask(recipe.request(vector.request), vector.parameters)
    return [frame for frame in [*engine.feed(data), *engine.silence()] if frame.flaw is None]


@given(
    answer=st.sampled_from(ANSWERS),
    place=st.integers(0, 4095),
    octet=st.integers(0, 255),
)
@examples(max_examples=300)
def test_one_wrong_byte_never_makes_another_value(answer, place, octet):
    recipe, vector = answer
    assume(octet not in b"@%\x68" or recipe.name == "iec62056-21")  # may begin a frame anew
    right = [frame.fields for frame in taken(recipe, vector, vector.octets)]
    place %= len(vector.octets)
    data = vector.octets[:place] + bytes([octet]) + vector.octets[place + 1 :]
    assert all(frame.fields in right for frame in taken(recipe, vector, data))


def test_what_looks_like_a_frame_inside_a_damaged_answer_is_none():
    iec = library.load("iec62056-21")
    sent, came = b"\x020.0.1()\r\n!\r\n\x03\x12", b"\x020.0\x021()\r\n!\r\n\x03\x12"
    assert [frame.fields for frame in Engine(iec).feed(sent)] == [{"0.0.1": ""}]
    engine = Engine(iec)
    assert engine.feed(came) == []
    assert engine.counts["damaged"] == 1
    assert [frame.fields for frame in engine.feed(sent)] == [{"0.0.1": ""}]
    framing = iec.framing[0].model_copy(update={"whole": False})  # as others hunt on
    searching = Engine(iec.model_copy(update={"framing": (framing,)}))
    assert [frame.fields for frame in searching.feed(came)] == [{"1": ""}]


def test_units_and_types_come_from_the_recipe():
    voltage = SerialDriver.completed(settings(METER), at("voltage_l1", meter=1))
    assert voltage.usual_unit() == "V"
