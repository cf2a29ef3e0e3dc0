"""What the conversation leads to, driven by answers without a terminal, with real devices."""

import contextlib
import socket
import threading

import pytest

from edge_agent.config import load
from edge_agent.setup.flow import setup
from edge_agent.setup.interview import Answered, Interview
from edge_agent.setup.session import home_of
from tests.rigs.interviews import begins
from tests.rigs.opcua_plant import Plant


@pytest.fixture
def config(tmp_path):
    return tmp_path / "config.yaml"


@pytest.fixture
def interview(config, broker):
    """Begin an interview that already knows where the gateway is."""

    def begin(*answers: tuple[str, str], entries=()) -> Interview:
        interview = Interview(setup(config, home_of(config)), entries)
        if not entries:
            begins(interview)
        for id_, answer in answers:
            assert interview.question.id == id_
            interview.answer(answer)
        return interview

    return begin


def ends(interview, broker, config):
    """Answer what is left: no more devices, this broker, write it, no papers."""
    for answer in ("done", "local", f"localhost:{broker.port}", "", "write", "no", "no"):
        interview.answer(answer)
    assert interview.question is None
    assert interview.result.written == str(config)
    return load(config)


def on_the_network(port: int, number: int = 1) -> list[tuple[str, str]]:
    device = f"device.{number}"
    return [
        (f"{device}.kind", "network"),
        (f"{device}.host", f"127.0.0.1:{port}"),
    ]


def named(name: str, number: int = 1) -> list[tuple[str, str]]:
    device = f"device.{number}"
    return [(f"{device}.name", name), (f"{device}.label", ""), (f"{device}.every", "1s")]


def point(number: int, device: int = 1, **answers: str) -> list[tuple[str, str]]:
    return [(f"device.{device}.point.{number}.{key}", answer) for key, answer in answers.items()]


def unit(number: str = "1", device: int = 1) -> list[tuple[str, str]]:
    """Choose a device that was found, and tell its values one by one."""
    answers = {"unit": number, "profile": "other", "how": "list"}
    return [(f"device.{device}.{key}", answer) for key, answer in answers.items()]


def is_named(talk, name: str) -> None:
    """Answer what is asked about a device that was found."""
    for id_, answer in named(name):
        assert talk.question.id.rpartition(".")[2] == id_.rpartition(".")[2]
        talk.answer(answer)


def test_a_short_number_is_asked_about_and_not_guessed(interview, plc, broker, config):
    talk = interview(
        *on_the_network(plc.port),
        *unit(),
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
    assert talk.question.facts == "oil = 23.5 °C"
    talk.answer("done")
    is_named(talk, "press-1")
    (oil,) = ends(talk, broker, config).connections[0].devices[0].points
    assert (oil.address.table, oil.address.offset, oil.address.type) == ("holding", 0, "int16")


def test_one_bit_of_a_register_and_text(interview, plc, broker, config):
    talk = interview(
        *on_the_network(plc.port),
        *unit(),
        *point(1, name="running", type="bool", address="40002", bit="2", next="more"),
        *point(2, name="maker", type="string", length="4", address="40011"),
    )
    assert talk.question.facts == "maker = ffCg"
    talk.answer("done")
    is_named(talk, "press-1")
    running, maker = ends(talk, broker, config).connections[0].devices[0].points
    assert (running.address.type, running.address.bit) == ("bool", 2)
    assert maker.address.length == 4


def test_a_coil_is_not_asked_for_a_bit(interview, plc):
    talk = interview(
        *on_the_network(plc.port),
        *unit(),
        *point(1, name="running", type="bool", address="coil:3"),
    )
    assert talk.question.id == "device.1.point.1.next"
    assert talk.question.facts == "running = off"


def test_a_value_that_cannot_be_read_is_read_again_changed_or_kept(interview, plc, broker, config):
    talk = interview(
        *on_the_network(plc.port),
        *unit(),
        *point(1, name="oil", type="uint16", address="40999", scale="1", unit="", trouble="again"),
    )
    assert talk.question.id == "device.1.point.1.trouble"
    talk.answer("change")
    assert (talk.question.id, talk.default()) == ("device.1.point.1.name", "oil")
    for answer in ("oil", "uint16", "40998", "1", "", "keep"):
        talk.answer(answer)
    assert talk.question.facts == "oil = not read"
    talk.answer("done")
    is_named(talk, "press-1")
    (oil,) = ends(talk, broker, config).connections[0].devices[0].points
    assert oil.address.offset == 997


def test_a_second_device_on_the_same_line_shares_its_connection(interview, plc, broker, config):
    oil = {"name": "oil", "type": "int16", "address": "40001", "scale": "1", "unit": ""}
    talk = interview(
        *on_the_network(plc.port),
        *unit(),
        *point(1, **oil, next="done"),
        *named("press-1"),
        *on_the_network(plc.port, 2),
        ("device.2.more", "type"),  # nobody else was found behind that address
        ("device.2.unit_id", "2"),
        *unit(device=2)[1:],
        *point(1, 2, **oil, trouble="keep", next="done"),
        *named("press-2", 2),
    )
    (connection,) = ends(talk, broker, config).connections
    assert [device.name for device in connection.devices] == ["press-1", "press-2"]


@pytest.mark.thorough
def test_every_screen_resumes_after_a_kill_and_leads_to_the_same_bytes(
    interview, plc, broker, config
):
    talk = interview(
        *on_the_network(plc.port),
        *unit(),
        *point(1, name="oil", type="int16", address="40001", scale="1/10", unit="Cel", next="more"),
        *point(2, name="volt", type="float32", address="40011", scale="1", unit="V", order="CDAB"),
        *point(2, next="done"),
        *named("press-1"),
    )
    ends(talk, broker, config)
    wanted, entries = config.read_bytes(), list(talk.entries)
    answers = {entry.id: entry.answer for entry in entries if isinstance(entry, Answered)}
    written = next(at for at, entry in enumerate(entries) if entry.id == "write")
    for length in range(1, written + 1):
        config.unlink()
        resumed = interview(entries=entries[:length])
        following = [e.id for e in entries[length:] if isinstance(e, Answered)]
        assert resumed.question is None or resumed.question.id == following[0]
        while resumed.question is not None:
            resumed.answer(answers[resumed.question.id])
        assert config.read_bytes() == wanted


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
        ("device.1.host", f"127.0.0.1:{scale}"),
        ("device.1.recipe", "and-standard"),
        ("device.1.fields.1", "1"),
        ("device.1.only", "all"),
    )
    is_named(talk, "scale-1")
    (connection,) = ends(talk, broker, config).connections
    assert connection.driver == "serial"


@pytest.mark.thorough
def test_a_plc_with_opc_ua(interview, broker, config):
    plant = Plant()
    plant.start()
    try:
        talk = interview(
            ("device.1.kind", "opcua"),
            ("device.1.host", f"127.0.0.1:{plant.first.port}"),
            ("device.1.security", "none"),
            ("device.1.nodes.1", "temperature"),
            ("device.1.nodes.2", "1"),
            ("device.1.nodes.3", "0"),
            ("device.1.names.1", "0"),
        )
        is_named(talk, "oven")
        (connection,) = ends(talk, broker, config).connections
        assert connection.driver == "opcua"
    finally:
        plant.stop()


def test_a_configuration_that_would_be_invalid_does_not_replace_the_old_one(
    interview, broker, config, monkeypatch
):
    config.write_text("# the old one\n")
    monkeypatch.setattr("edge_agent_simulated.setup.TEMPERATURE", {"period": 0})
    talk = interview(("device.1.kind", "demo"), *named("oven")[:2])
    for answer in ("done", "local", f"localhost:{broker.port}", ""):
        talk.answer(answer)
    assert talk.question.id == "summary.trouble"
    assert "period" in talk.question.facts
    assert config.read_text() == "# the old one\n"
    assert list(config.parent.iterdir()) == [config]
