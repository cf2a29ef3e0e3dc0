"""The small parts: meanings, layout, files, ports, what a service can read."""

import json
import stat

import pytest
import yaml

from edge_agent import language
from edge_agent.layout import columns, shown, width, wrap
from edge_agent.ports import serial_ports
from edge_agent.setup import service
from edge_agent.setup.files import SecretFiles
from edge_agent.setup.leftovers import clear
from edge_agent.setup.meaning import new_name, to_broker, to_factor, to_name, to_site, to_unit
from edge_agent.setup.question import Choice, menu
from edge_agent.setup.session import service_of
from edge_agent.setup.terminal import _word
from edge_agent.setup.tongue import keep, tongue
from edge_agent.setup.writer import as_yaml
from tests.rigs.small_file import small_files


@pytest.mark.parametrize(
    ("answer", "factor"), [("0.1", 0.1), ("0,1", 0.1), ("1/10", 0.1), ("10", 10), ("-2.50", -2.5)]
)
def test_factors(answer, factor):
    assert to_factor(answer) == factor


@pytest.mark.parametrize("answer", ["", "x", "0", "1/0", "nan", "1e400", "inf", "1,000"])
def test_what_is_no_factor(answer):
    with pytest.raises(ValueError, match="is no factor"):
        to_factor(answer)


def test_whole_factors_stay_whole():
    assert str(to_factor("10")) == "10"


@pytest.mark.parametrize(
    ("answer", "url"),
    [
        ("10.0.0.5", "mqtt://10.0.0.5:1883"),
        ("broker.example:8883", "mqtts://broker.example:8883"),
        ("mqtts://broker.example", "mqtts://broker.example:8883"),
        ("wss://broker.example/mqtt", "wss://broker.example:443/mqtt"),
        ("mqtt://[fe80::1]:1884", "mqtt://[fe80::1]:1884"),
    ],
)
def test_broker_addresses(answer, url):
    assert to_broker(answer) == url
    assert to_broker(url) == url


@pytest.mark.parametrize(
    "answer", ["", "http://x", "a b", "host:99999", "mqtt://", "user:word@host", "mqtt://u@host"]
)
def test_what_is_no_broker(answer):
    with pytest.raises(ValueError, match=r"\w") as caught:
        to_broker(answer)
    assert "word" not in str(caught.value) or "is no broker" not in str(caught.value)


def test_a_name_that_does_not_do_comes_with_one_that_does():
    with pytest.raises(ValueError, match="such as active_power"):
        new_name([], between="_")("Active power")
    with pytest.raises(ValueError, match="such as press-1"):
        to_name("Press 1")
    with pytest.raises(ValueError, match="such as active_power"):
        new_name([], between="_")("Active power")
    with pytest.raises(ValueError, match="such as press-1"):
        to_name("一号冲床")
    assert to_site("a/b/c") == "a/b/c"
    written = {"°C": "Cel", "kWh": "kW.h", "rpm": "/min", "m3/h": "m3/h", "widgets": "widgets"}
    assert {unit: to_unit(unit) for unit in written} == written
    with pytest.raises(ValueError, match="is no unit"):
        to_unit("some thing")


def test_chinese_takes_two_cells():
    assert width("1号炉") == 5
    assert columns([("1号炉", "1"), ("oven", "20")], right=[1]) == ["1号炉   1", "oven   20"]
    lines = wrap("温度" * 40)
    assert max(map(width, lines)) <= 60
    assert "".join(lines) == "温度" * 40


def test_long_lines_are_broken_and_short_ones_kept():
    assert wrap("a   b") == ["a   b"]
    assert wrap("  one two three", 9) == ["  one two", "  three"]
    assert wrap("1) one two", 6, indent="   ") == ["1) one", "   two"]
    assert wrap(" 1) " + "x" * 9, 8, indent="  ") == [" 1)", "   xxxxx", "   xxxx"]
    assert wrap("x" * 7, 3) == ["xxx", "xxx", "x"]
    assert wrap("") == [""]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "--"),
        (True, "on"),
        (7, "7"),
        (231.39999389648438, "231.4"),
        (1.1, "1.1"),
        (16777217.5, "16777217.5"),
        (15.008396671627663, "15.00839667"),
        (1e300, "1e+300"),
        ("a\x1b[2Jb", "a?[2Jb"),
    ],
)
def test_values_are_shown_with_the_digits_they_have(value, text):
    assert shown(value) == text


def test_full_width_and_word_answers_choose_from_a_menu():
    question = menu("id", "?", [Choice("9600", ""), Choice("19200", "")])
    assert _word(question, "2") == "19200"
    assert _word(question, "9600") == "9600"
    assert _word(question, "0") == "0"
    assert _word(question, "3") == "3"


def test_ports_are_listed_once_under_their_most_lasting_name(tmp_path):
    for name in ("ttyUSB0", "ttyUSB1", "ttyAMA0", "tty1"):
        (tmp_path / name).touch()
    for folder, link, target in (
        ("by-id", "usb-FTDI-if00-port0", "ttyUSB1"),
        ("by-path", "pci-1", "ttyUSB1"),
        ("by-path", "pci-2", "ttyUSB0"),
    ):
        (tmp_path / "serial" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "serial" / folder / link).symlink_to(tmp_path / target)
    assert [port.removeprefix(f"{tmp_path}/") for port in serial_ports(tmp_path)] == [
        "serial/by-id/usb-FTDI-if00-port0",
        "serial/by-path/pci-2",
        "ttyAMA0",
    ]


def test_a_secret_replaces_only_what_this_session_wrote(tmp_path):
    (tmp_path / "word").write_text("in use")
    files = SecretFiles(tmp_path, "word")
    first = files.keep("wrong")
    assert files.keep("right") == first
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "word": "in use",
        "word-2": "right",
    }
    assert SecretFiles(tmp_path, "word").keep("in use") == tmp_path / "word"


def test_texts_keep_their_meaning_in_yaml():
    texts = [
        "off",
        "0x6B",
        "1e3",
        "00001",
        "a: b",
        "# no",
        "炉",
        "~",
        "1:30",
        "",
        "nsu=x;s=y",
        "0o17",
    ]
    document = {"texts": texts, "number": 0.1, "whole": 10}
    written = as_yaml(document)
    assert yaml.safe_load(written) == document
    for text in ("0x6B", "1e3", "0o17", "1:30"):
        assert f'"{text}"' in written


def test_passwords_and_certificates_that_nobody_needs_are_removed(tmp_path):
    names = ["mqtt-password", "mqtt-password-2", "opcua-password", "broker-0123abcd.pem"]
    others = ["broker-mine.pem", "notes-password.txt", "mqtt-password-old"]
    for name in [*names, "broker-ca-0123abcd.pem", "mqtt-password-3", *others]:
        (tmp_path / name).write_text("x")
    config = tmp_path / "config.yaml"
    config.write_text("mqtt: {ca_file: broker-0123abcd.pem}\n")
    (tmp_path / "trial.yaml").write_text(f'password_file: "{tmp_path}/opcua-password"\n')
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "config.yaml.0001.20261126T081500Z").write_text(
        f"password_file: {tmp_path}/mqtt-password-2\n"
        "other: /run/credentials/edge-agent.service/mqtt-password-3\n"
    )
    put_away = [
        {"id": "p", "answer": f"file:{tmp_path}/{name}"} for name in (names[0], "mqtt-password-3")
    ]
    (tmp_path / ".setup-journal").write_text("".join(json.dumps(one) + "\n" for one in put_away))
    (tmp_path / "scada-password").write_text("x")  # somebody else's, for a drop-in of the service
    answered = f"password_file: {tmp_path}/mqtt-password\n"
    assert clear(config, answered) == ["broker-ca-0123abcd.pem", "mqtt-password-3"]
    assert {one.name for one in tmp_path.iterdir() if one.is_file()} == {
        *names, *others, "config.yaml", "trial.yaml", ".setup-journal", "scada-password",
    }  # fmt: skip
    assert clear(config, "") == ["mqtt-password"]


def test_the_question_for_the_language_explains_itself_in_all_that_can_be_read():
    why = next(tongue(lambda tag: True)).why
    assert "Every command speaks it" in why
    assert "所有命令都用这种语言" in why
    assert "\n" not in next(tongue(lambda tag: tag == "en")).why


def test_a_service_finds_secrets_and_ca_where_its_own_user_can_read_them(tmp_path):
    home, etc = tmp_path / "home", tmp_path / "etc"
    home.mkdir()
    etc.mkdir()
    (home / "word").write_text("secret")
    (home / "plc-word").write_text("other secret")
    ca, kind = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n", "EC PRIVATE KEY"
    key = f"-----BEGIN {kind}-----\nMA==\n-----END {kind}-----\n"  # some come in one file
    (home / "ca.pem").write_text(f"Of the factory\n{ca}{key}{ca}")
    mqtt = {
        "url": "mqtts://x:8883",
        "password_file": str(home / "word"),
        "ca_file": str(home / "ca.pem"),
    }
    plc = {
        "url": "opc.tcp://plc:4840",
        "username": "gw",
        "password_file": str(home / "plc-word"),
    }
    line = {"name": "opcua-1", "driver": "opcua", "settings": plc, "devices": []}
    adopted = service.adopt({"version": 1, "mqtt": mqtt, "connections": [line]}, etc)
    (ca_file,) = etc.iterdir()
    assert ca_file.read_text() == ca + ca
    assert stat.S_IMODE(ca_file.stat().st_mode) == 0o644
    run = "/run/credentials/edge-agent.service"
    assert adopted.document["mqtt"] == {
        "url": "mqtts://x:8883",
        "password_file": f"{run}/mqtt-password",
        "ca_file": str(ca_file),
    }
    (connection,) = adopted.document["connections"]
    assert connection["settings"] == {**plc, "password_file": f"{run}/opcua-password"}
    assert adopted.secrets == {
        f"{run}/mqtt-password": "secret",
        f"{run}/opcua-password": "other secret",
    }
    assert service.adopt(adopted.document, etc).document == adopted.document


def test_two_secrets_for_one_place_are_refused(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    lines = [
        {
            "name": f"opcua-{name}",
            "driver": "opcua",
            "settings": {
                "url": f"opc.tcp://{name}:4840",
                "username": "gw",
                "password_file": str(tmp_path / name),
            },
            "devices": [],
        }
        for name in ("one", "two")
    ]
    with pytest.raises(ValueError, match="one place for opcua-password, and two are needed"):
        service.adopt({"mqtt": {}, "connections": lines}, tmp_path)


def test_a_service_is_only_offered_for_the_file_it_reads(tmp_path):
    assert service_of(tmp_path / "config.yaml") is None
    assert service.command(tmp_path / "c.yaml") == f"edge-agent run -c {tmp_path / 'c.yaml'}"


def test_a_choice_of_language_that_finds_no_room_leaves_the_one_before(tmp_path):
    keep(tmp_path, "zh")
    with small_files(most=1), pytest.raises(OSError, match="File too large"):
        keep(tmp_path, "en")
    assert language.kept(tmp_path) == "zh"
    assert [file.name for file in tmp_path.iterdir()] == [language.KEPT]


def test_a_secret_typed_again_that_finds_no_room_leaves_the_one_before(tmp_path):
    files = SecretFiles(tmp_path, "word")
    kept = files.keep("first")
    with small_files(most=1), pytest.raises(OSError, match="File too large"):
        files.keep("second")
    assert kept.read_text() == "first"
    assert list(tmp_path.iterdir()) == [kept]
