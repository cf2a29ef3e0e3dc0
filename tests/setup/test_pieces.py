"""The small parts: meanings, layout, files, ports, what a service can read."""

import stat

import pytest
import yaml

from edge_agent.layout import columns, shown, width, wrap
from edge_agent.ports import serial_ports
from edge_agent.setup import service
from edge_agent.setup.files import SecretFiles, replace_file, write_file
from edge_agent.setup.meaning import to_broker, to_factor, to_name, to_site, to_unit
from edge_agent.setup.question import Choice, menu
from edge_agent.setup.terminal import _word
from edge_agent.setup.writer import as_yaml


@pytest.mark.parametrize(
    ("answer", "factor"), [("0.1", 0.1), ("0,1", 0.1), ("1/10", 0.1), ("10", 10), ("-2.50", -2.5)]
)
def test_factors(answer, factor):
    assert to_factor(answer) == factor


@pytest.mark.parametrize("answer", ["", "x", "0", "1/0", "nan", "1e400", "inf"])
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
    with pytest.raises(ValueError, match="such as press-1"):
        to_name("Press 1")
    with pytest.raises(ValueError, match="such as press-1"):
        to_name("一号冲床")
    assert to_site("a/b/c") == "a/b/c"
    with pytest.raises(ValueError, match="is no unit code"):
        to_unit("°C")


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


def test_a_replaced_file_is_kept_each_time(tmp_path):
    path, new = tmp_path / "file", tmp_path / "new"
    kept = []
    for text in (b"1", b"2", b"3"):
        write_file(new, text, 0o600)
        kept.append(replace_file(new, path))
    assert path.read_bytes() == b"3"
    assert kept[0] is None
    assert [each.read_bytes() for each in kept[1:]] == [b"1", b"2"]


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


def test_a_service_finds_password_and_ca_where_its_own_user_can_read_them(tmp_path):
    home, etc, store = tmp_path / "home", tmp_path / "etc", tmp_path / "credstore"
    home.mkdir()
    etc.mkdir()
    (home / "word").write_text("secret")
    (home / "ca.pem").write_text("ca")
    mqtt = {
        "url": "mqtts://x:8883",
        "password_file": str(home / "word"),
        "ca_file": str(home / "ca.pem"),
    }
    adopted = service.adopt({"version": 1, "mqtt": mqtt}, etc, store)
    assert adopted == {
        "version": 1,
        "mqtt": {
            "url": "mqtts://x:8883",
            "password_file": "/run/credentials/edge-agent.service/mqtt-password",
            "ca_file": str(etc / "broker-ca.pem"),
        },
    }
    secret = store / "edge-agent.mqtt-password"
    assert (secret.read_text(), stat.S_IMODE(secret.stat().st_mode)) == ("secret", 0o600)
    assert stat.S_IMODE((etc / "broker-ca.pem").stat().st_mode) == 0o644
    service.adopt({"mqtt": mqtt}, etc, store)
    assert [path.name for path in store.iterdir()] == ["edge-agent.mqtt-password"]


def test_a_service_is_only_offered_for_the_file_it_reads(tmp_path):
    assert not service.can_start(tmp_path / "config.yaml")
    assert service.command(tmp_path / "c.yaml") == f"edge-agent run -c {tmp_path / 'c.yaml'}"
