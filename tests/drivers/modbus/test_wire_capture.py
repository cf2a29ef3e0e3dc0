"""Whatever is configured, only requests that read leave the driver, and no other can be made."""

import ast
import asyncio
import contextlib
from pathlib import Path

import edge_agent_modbus
import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings, services
from edge_agent_modbus.discovery import network_units
from edge_agent_modbus.enquiry import Enquiry, Service
from edge_agent_modbus.identify import identify, inspect
from edge_agent_modbus.layout import KINDS
from edge_agent_modbus.pdu import FUNCTIONS, Table
from edge_agent_modbus.roundcall import probe
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from edge_agent.driver import DriverError
from tests.rigs import writes
from tests.rigs.modbus_device import Device
from tests.rigs.modbus_wire import TcpEnd

CODES = (
    "READ_EXCEPTION_STATUS",
    "COMM_EVENT_COUNTER",
    "COMM_EVENT_LOG",
    "REPORT_SERVER_ID",
    "READ_FILE_RECORD",
    "READ_FIFO_QUEUE",
    "ENCAPSULATED",
)
SOURCES = sorted(Path(edge_agent_modbus.__file__).parent.glob("*.py"))

link_keys = st.fixed_dictionaries(
    {"transport": st.sampled_from(["tcp", "rtu-over-tcp", "ascii-over-tcp"])},
    optional={
        "max_registers": st.integers(1, 125),
        "max_bits": st.integers(1, 2000),
        "max_gap": st.integers(0, 124),
        "transaction_id": st.sampled_from(["match", "ignore"]),
        "coils_from_zero": st.booleans(),
        "one_request_per_point": st.booleans(),
        "pause": st.sampled_from([0, 0.001]),
    },
)
offsets = st.one_of(st.integers(0, 40), st.integers(0, 65535))
plain = st.fixed_dictionaries(
    {"offset": offsets, "table": st.sampled_from(["input", "holding"])},
    optional={"type": st.sampled_from(["int16", "float32", "uint64"]), "unit": st.integers(1, 247)},
)
bits = st.fixed_dictionaries(
    {"offset": offsets, "table": st.sampled_from(["coil", "discrete"])},
    optional={"unit": st.integers(1, 247)},
)
wild = st.fixed_dictionaries(
    {"offset": offsets},
    optional={
        "unit": st.integers(0, 255),
        "table": st.sampled_from(list(Table)),
        "type": st.sampled_from(sorted(KINDS)),
        "length": st.integers(1, 8),
        "bit": st.integers(0, 15),
        "width": st.integers(1, 16),
        "order": st.sampled_from(["AB", "BA", "ABCD", "DCBA", "CDAB", "BADC", "ABCDEFGH"]),
    },
)


def addresses_of(all_keys: list[dict]) -> list[ModbusAddress]:
    found = []
    for keys in all_keys:
        with contextlib.suppress(ValidationError):  # what is no address never gets near a machine
            found.append(ModbusAddress(**keys))
    return found


class Capture:
    """A TCP endpoint that keeps every byte it is sent, and answers as a small device does."""

    def __init__(self, framing: str) -> None:
        self._device = Device(size=60, holes=frozenset({7}), most=20)
        self.pdus: list[bytes] = []
        self._end = TcpEnd(framing, self._hear)

    def _hear(self, frame, send) -> None:
        self.pdus.append(frame.pdu)
        send(frame.wrap(frame.unit, self._device.answer(frame.pdu)))

    async def search(self, keys: dict) -> None:
        """Look for units, and ask the first of them all that can be asked."""
        await self._end.start()
        driver = ModbusDriver(ModbusSettings(**keys, **self._end.settings, timeout=0.3))
        await driver.open()
        for unit in network_units():
            await probe(driver.ask, unit)
            await identify(driver.ask, unit)
        await inspect(driver.ask, 1)
        await driver.close()
        await self._end.stop()

    async def read(self, keys: dict, addresses: list[ModbusAddress]) -> None:
        await self._end.start()
        driver = ModbusDriver(ModbusSettings(**keys, **self._end.settings, timeout=0.3))
        try:
            await driver.open()
            learnt = {}
            for _ in range(2):
                samples = await driver.read(driver.plan(addresses, learnt))
                learnt = samples.learnt or learnt
        except DriverError:
            pass
        finally:
            await driver.close()
            await self._end.stop()


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(keys=link_keys, all_keys=st.lists(st.one_of(plain, bits, wild), min_size=1, max_size=8))
def test_from_any_configuration_only_reads_leave_over_tcp(keys, all_keys, run):
    if keys["transport"] != "tcp":
        keys.pop("transaction_id", None)
    addresses = addresses_of(all_keys)
    event(f"addresses: {len(addresses)}")
    capture = Capture(keys["transport"].partition("-")[0])
    run(capture.read(keys, addresses))
    assert {pdu[0] for pdu in capture.pdus} <= {1, 2, 3, 4}
    assert {len(pdu) for pdu in capture.pdus} <= {5}
    assert capture.pdus or not addresses


@pytest.mark.parametrize("transport", ["tcp", "ascii-over-tcp"])
def test_finding_out_what_a_device_is_sends_only_reads(transport, run):
    capture = Capture(transport.partition("-")[0])
    run(capture.search({"transport": transport}))
    assert {pdu[0] for pdu in capture.pdus} == {3, 4, 7, 11, 12, 17, 43}
    assert all(writes.is_read(pdu) for pdu in capture.pdus)


@pytest.fixture
def run():
    """Run coroutines one after the other in a loop of their own."""
    with asyncio.Runner() as runner:
        yield runner.run


def calls(tree: ast.AST):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def name_of(call: ast.Call) -> str:
    return ast.unparse(call.func)


def test_bytes_leave_at_one_place_only_and_come_from_the_framer():
    """`write` and `send` are called where a link sends, and that with the frame of a request."""
    found = [
        (path.name, ast.unparse(call))
        for path in SOURCES
        for call in calls(ast.parse(path.read_text()))
        if name_of(call).rpartition(".")[2] in {"write", "writelines", "send", "sendall", "sendto"}
    ]
    assert sorted(found) == [
        ("exchange.py", "self._link.send(frame)"),
        ("link.py", "stream.transport.write(data)"),
        ("serial_line.py", "os.write(self._file, data)"),
        ("transaction.py", "self._exchange.send(request, timeout)"),
    ]
    exchange = next(path for path in SOURCES if path.name == "exchange.py").read_text()
    assert "frame = self._framer.encode(request)" in exchange


def test_a_request_s_bytes_are_made_in_two_modules_and_with_codes_that_read():
    """`pdu` and `services` alone put a function code before other bytes."""
    assert set(FUNCTIONS.values()) == {1, 2, 3, 4}
    codes = {value for name, value in vars(services).items() if name in CODES}
    assert len(codes) == len(CODES)
    assert codes <= writes.READS
    assert {Enquiry(1, service).function for service in Service} <= codes
    assert all(writes.is_read(Enquiry(1, service).pdu) for service in Service)
    makers = {
        path.name
        for path in SOURCES
        for call in calls(ast.parse(path.read_text()))
        if name_of(call).rpartition(".")[2] in {"pack", "pack_into"}
    }
    assert makers == {"mbap.py", "pdu.py", "services.py"}  # mbap packs headers


def test_no_library_that_can_write_is_imported():
    imported = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])
    assert not imported & {"pymodbus", "umodbus", "minimalmodbus", "modbus_tk", "pymodbustcp"}


@pytest.mark.writes_on_purpose
def test_the_suite_s_watch_sees_a_write():
    device = Device()
    device.answer(b"\x06\x00\x01\x00\x02")
    assert writes.seen == ["a simulated device: 06 00 01 00 02"]
    assert device.writes


@pytest.mark.parametrize("function", [5, 6, 8, 15, 16, 21, 22, 23, 65, 100])
def test_every_code_that_could_change_something_is_known_as_such(function):
    assert not writes.is_read(bytes((function, 0, 0, 0, 0)))
    assert not writes.is_read(b"\x2b\x0d\x00")
