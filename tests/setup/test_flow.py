"""What the conversation leads to, driven by answers without a terminal, with real devices."""

import contextlib
import socket
import threading
from types import SimpleNamespace

import pytest

from edge_agent.config import load
from edge_agent.setup.flow import setup
from edge_agent.setup.interview import Answered, Interview
from edge_agent.setup.session import concealer
from tests.rigs.modbus_device import Device, with_crc
from tests.rigs.opcua_plant import OVEN, Plant
from tests.rigs.serial_line import SerialLine


@pytest.fixture
def config(tmp_path):
    return tmp_path / "config.yaml"


@pytest.fixture
def interview(config, broker):
    """Begin an interview that already knows where the gateway is."""

    def begin(*answers: tuple[str, str], entries=()) -> Interview:
        interview = Interview(setup(config, concealer(config.parent)), entries)
        if not entries:
            answers = (("site", "factory-1"), ("gateway", "gw-01"), *answers)
        for id_, answer in answers:
            assert interview.question.id == id_
            interview.answer(answer)
        return interview

    return begin


def ends(interview, broker, config):
    """Answer what is left: no more devices, this broker, write it."""
    for answer in ("done", f"localhost:{broker.port}", "", "write"):
        interview.answer(answer)
    assert interview.question is None
    assert interview.result.written == str(config)
    return load(config)


def on_the_network(port: int, number: int = 1) -> list[tuple[str, str]]:
    device = f"device.{number}"
    return [
        (f"{device}.kind", "network"),
        (f"{device}.transport", "tcp"),
        (f"{device}.host", "127.0.0.1"),
        (f"{device}.port", str(port)),
    ]


def named(name: str, number: int = 1, unit: str | None = "1") -> list[tuple[str, str]]:
    device = f"device.{number}"
    unit_id = [(f"{device}.unit_id", unit)] if unit else []
    return [*unit_id, (f"{device}.name", name), (f"{device}.label", ""), (f"{device}.every", "1s")]


def point(number: int, **answers: str) -> list[tuple[str, str]]:
    return [(f"device.1.point.{number}.{key}", answer) for key, answer in answers.items()]


def test_a_short_number_is_asked_about_and_not_guessed(interview, plc, broker, config):
    talk = interview(
        *on_the_network(plc.port),
        *named("press-1"),
        *point(1, name="oil", type="int16", address="1"),
    )
    assert [choice.word for choice in talk.question.choices] == [
        "holding:1",
        "holding:0",
        "input:1",
        "input:0",
    ]
    talk.answer("holding:0")
    for answer in ("0.1", "Cel"):
        talk.answer(answer)
    assert talk.question.facts == "oil = 23.5 Cel"
    talk.answer("done")
    (oil,) = ends(talk, broker, config).connections[0].devices[0].points
    assert (oil.address.table, oil.address.offset, oil.address.type) == ("holding", 0, "int16")


def test_one_bit_of_a_register_and_text(interview, plc, broker, config):
    talk = interview(
        *on_the_network(plc.port),
        *named("press-1"),
        *point(1, name="running", type="bool", address="40002", bit="2", next="more"),
        *point(2, name="maker", type="string", length="4", address="40011"),
    )
    assert talk.question.facts == "maker = ffCg"
    talk.answer("done")
    running, maker = ends(talk, broker, config).connections[0].devices[0].points
    assert (running.address.type, running.address.bit) == ("bool", 2)
    assert maker.address.length == 4


def test_a_coil_is_not_asked_for_a_bit(interview, plc):
    talk = interview(
        *on_the_network(plc.port),
        *named("press-1"),
        *point(1, name="running", type="bool", address="coil:3"),
    )
    assert talk.question.id == "device.1.point.1.next"
    assert talk.question.facts == "running = off"


def test_a_value_that_cannot_be_read_is_read_again_changed_or_kept(interview, plc, broker, config):
    talk = interview(
        *on_the_network(plc.port),
        *named("press-1"),
        *point(1, name="oil", type="uint16", address="40999", scale="1", unit="", trouble="again"),
    )
    assert talk.question.id == "device.1.point.1.trouble"
    talk.answer("change")
    assert (talk.question.id, talk.default()) == ("device.1.point.1.name", "oil")
    for answer in ("oil", "uint16", "40998", "1", "", "keep"):
        talk.answer(answer)
    assert talk.question.facts == "oil = not read"
    talk.answer("done")
    (oil,) = ends(talk, broker, config).connections[0].devices[0].points
    assert oil.address.offset == 997


def test_a_second_device_on_the_same_line_shares_its_connection(interview, plc, broker, config):
    first = point(1, name="oil", type="int16", address="40001", scale="1", unit="", next="done")
    second = [(id_.replace("device.1", "device.2"), answer) for id_, answer in first]
    talk = interview(
        *on_the_network(plc.port),
        *named("press-1"),
        *first,
        *on_the_network(plc.port, 2),
        *named("press-2", 2),
        *second,
    )
    (connection,) = ends(talk, broker, config).connections
    assert [device.name for device in connection.devices] == ["press-1", "press-2"]


def test_a_line_that_is_set_up_differently_is_explained(interview, plc):
    talk = interview(
        *on_the_network(plc.port),
        *named("press-1"),
        *point(1, name="oil", type="int16", address="40001", scale="1", unit="", next="done"),
        ("device.2.kind", "network"),
        ("device.2.transport", "rtu-over-tcp"),
        ("device.2.host", "127.0.0.1"),
        ("device.2.port", str(plc.port)),
    )
    assert talk.question.id == "device.2.shared"
    assert [choice.word for choice in talk.question.choices] == ["change", "share"]
    talk.answer("change")
    assert talk.question.id == "device.2.kind"


@pytest.mark.thorough
def test_every_screen_resumes_after_a_kill_and_leads_to_the_same_bytes(
    interview, plc, broker, config
):
    talk = interview(
        *on_the_network(plc.port),
        *named("press-1"),
        *point(1, name="oil", type="int16", address="40001", scale="1/10", unit="Cel", next="more"),
        *point(2, name="volt", type="float32", address="40011", scale="1", unit="V", order="CDAB"),
        *point(2, next="done"),
    )
    ends(talk, broker, config)
    wanted, entries = config.read_bytes(), list(talk.entries)
    answers = {entry.id: entry.answer for entry in entries if isinstance(entry, Answered)}
    for length in range(1, len(entries)):
        config.unlink()
        resumed = interview(entries=entries[:length])
        following = [e.id for e in entries[length:] if isinstance(e, Answered)]
        assert resumed.question is None or resumed.question.id == following[0]
        while resumed.question is not None:
            resumed.answer(answers[resumed.question.id])
        assert config.read_bytes() == wanted


@pytest.fixture
def wires(tmp_path):
    """Two wires with one device, unit 7, that answers nobody else."""
    device = Device(values={0: 235})

    def answer(frame):
        return [(0, with_crc(frame[:1] + device.answer(frame[1:-2])))] if frame[0] == 7 else []

    line = SerialLine(tmp_path / "ttyRS485", answer)
    line.plug()
    yield SimpleNamespace(path=line.path, device=device)
    line.unplug()


def test_a_device_on_two_wires_with_a_wrong_unit_id_at_first(interview, wires, broker, config):
    way = [
        ("device.1.kind", "rs485"),
        ("device.1.port", str(wires.path)),
        ("device.1.baud", "115200"),
        ("device.1.parity", "none"),
    ]
    oil = point(1, name="oil", type="int16", address="40001", scale="0.1", unit="Cel")
    talk = interview(*way, *named("press-1"), *oil)
    assert talk.question.id == "device.1.point.1.trouble"
    assert "unit 1" in talk.question.facts
    while talk.question.id != "device.1.unit_id":
        talk.back()
    for answer in ("7", *(answer for _, answer in (*named("press-1", unit=None), *oil))):
        talk.answer(answer)
    assert talk.question.facts == "oil = 23.5 Cel"
    talk.answer("done")
    (connection,) = ends(talk, broker, config).connections
    assert (connection.settings.transport, connection.settings.baud) == ("rtu", 115200)
    assert wires.device.writes == []


@pytest.fixture
def scale():
    """A scale behind a network converter that says its weight again and again."""
    listener, end = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def speak():
        while not end.is_set():
            caller, _ = listener.accept()
            with caller, contextlib.suppress(OSError):
                while not end.wait(0.02):
                    caller.sendall(b"ST,GS,-  12.35 kg\r\n")

    thread = threading.Thread(target=speak)
    thread.start()
    yield listener.getsockname()[1]
    end.set()
    socket.create_connection(listener.getsockname()).close()
    thread.join()
    listener.close()


def test_a_scale_that_sends_text(interview, scale, broker, config):
    talk = interview(
        ("device.1.kind", "serial"),
        ("device.1.transport", "tcp"),
        ("device.1.host", "127.0.0.1"),
        ("device.1.port", str(scale)),
        ("device.1.mode", "stream"),
        ("device.1.pattern", "first-number"),
        *named("scale-1", unit=None),
        *point(1, name="weight", unit="kg"),
    )
    assert talk.question.facts == "weight = -12.35 kg"
    talk.answer("done")
    (connection,) = ends(talk, broker, config).connections
    assert connection.driver == "serial"


def test_a_request_that_would_change_a_scale_is_refused(interview, scale):
    talk = interview(
        ("device.1.kind", "serial"),
        ("device.1.transport", "tcp"),
        ("device.1.host", "127.0.0.1"),
        ("device.1.port", str(scale)),
        ("device.1.mode", "poll"),
    )
    with pytest.raises(ValueError, match="only reads"):
        talk.answer(r"T\r\n")


@pytest.mark.thorough
def test_a_plc_with_opc_ua(interview, broker, config):
    plant = Plant()
    plant.start()
    try:
        talk = interview(
            ("device.1.kind", "opcua"),
            ("device.1.security", "none"),
            ("device.1.url", f"opc.tcp://127.0.0.1:{plant.first.port}"),
            *named("oven", unit=None),
            *point(1, name="temperature", address=f"nsu={OVEN};s=Temperature", unit="Cel"),
        )
        assert talk.question.facts == "temperature = 181.5 Cel"
        talk.answer("done")
        (connection,) = ends(talk, broker, config).connections
        assert connection.driver == "opcua"
    finally:
        plant.stop()


def test_a_configuration_that_would_be_invalid_does_not_replace_the_old_one(
    interview, broker, config, monkeypatch
):
    config.write_text("# the old one\n")
    monkeypatch.setattr("edge_agent.setup.kinds.DEMO_WAVE", {"period": 0})
    talk = interview(
        ("device.1.kind", "demo"),
        *named("oven", unit=None),
        *point(1, name="temperature", unit="", trouble="keep", next="done"),
    )
    for answer in ("done", f"localhost:{broker.port}", "", "write"):
        talk.answer(answer)
    assert talk.question.id == "write.trouble"
    assert "period" in talk.question.facts
    assert config.read_text() == "# the old one\n"
    assert list(config.parent.iterdir()) == [config]
