"""`edge-agent restrict`: the drop-in that lets the service reach its broker and machines only."""

import ipaddress
import json
from pathlib import Path

import pytest

from edge_agent.cli import main, restrict
from edge_agent.command import CONFIG_INVALID, OK, PARTLY_OK
from tests.rigs.installed import install_driver

CONFIG = """\
version: 1
agent: {{id: gw-01, site: hall}}
mqtt: {{url: "mqtt://{broker}"}}
connections:
  - name: plant
    driver: {driver}
    settings: {settings}
    devices:
      - name: press-1
        points: {{one: {{address: {address}, every: 1s}}}}
"""
MODBUS = "{table: input, offset: 0, type: int16}"


@pytest.fixture
def restricted(tmp_path, capsys, monkeypatch):
    """Give a function that says what is printed for a configuration, and the exit code."""
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("# router\nnameserver 192.0.2.53\nsearch example\n")
    monkeypatch.setattr(restrict, "RESOLVER", resolver)

    def print_it(*words, driver="modbus", settings="{host: 192.0.2.7}", broker="198.51.100.1",
                 address=MODBUS):  # fmt: skip
        file = tmp_path / "config.yaml"
        file.write_text(
            CONFIG.format(broker=broker, driver=driver, settings=settings, address=address)
        )
        code = main(["restrict", "-c", str(file), *words])
        return code, capsys.readouterr().out

    return print_it


def allowed(text: str) -> list[str]:
    lines = text.splitlines()
    assert "[Service]" in lines
    assert "IPAddressDeny=any" in lines
    return [
        word
        for line in lines
        if line.startswith("IPAddressAllow=")
        for word in line.removeprefix("IPAddressAllow=").split()
    ]


@pytest.mark.parametrize(
    ("driver", "settings", "address", "peers"),
    [
        ("modbus", "{host: 192.0.2.7}", MODBUS, ["192.0.2.7"]),
        ("modbus", "{host: '2001:db8::7', transport: rtu-over-tcp}", MODBUS, ["2001:db8::7"]),
        ("modbus", "{transport: rtu, port: /dev/ttyUSB0, baud: 9600}", MODBUS, []),
        (
            "opcua",
            "{url: 'opc.tcp://192.0.2.8', standby_urls: ['opc.tcp://192.0.2.9:4841'],"
            " security: none}",
            "'ns=2;i=1'",
            ["192.0.2.8", "192.0.2.9"],
        ),
        ("simulated", "{}", "{middle: 1}", []),
        ("serial", "{transport: serial, port: /dev/ttyS1, pattern: '(?P<a>.)'}", "a", []),
        (
            "serial",
            "{transport: tcp, host: 192.0.2.4, port: 4001, pattern: '(?P<a>.)'}",
            "a",
            ["192.0.2.4"],
        ),
        (
            "serial",
            "{transport: tcp-server, port: 4001, allow: [192.0.2.0/29], pattern: '(?P<a>.)'}",
            "a",
            ["192.0.2.0/29"],
        ),
        (
            "serial",
            "{transport: tcp-server, port: 4001, pattern: '(?P<a>.)'}",
            "a",
            ["0.0.0.0/0", "::/0"],  # whoever may call has to be let in
        ),
    ],
)  # fmt: skip
def test_what_the_configuration_names_is_allowed_and_nothing_else(
    restricted, driver, settings, address, peers
):
    code, text = restricted(driver=driver, settings=settings, address=address)
    assert code == OK, text
    assert allowed(text) == ["localhost", "198.51.100.1", *peers]
    code, text = restricted("--json", driver=driver, settings=settings, address=address)
    assert [one["host"] for one in json.loads(text)["allow"]] == ["198.51.100.1", *peers]


def test_more_is_allowed_where_it_is_asked_for(restricted):
    _, text = restricted("--also", "192.168.10.7/24", "--also", "203.0.113.9")
    assert allowed(text)[3:] == ["192.168.10.0/24", "203.0.113.9/32"]


def test_with_a_name_the_name_servers_are_allowed_too(restricted):
    code, text = restricted(broker="localhost")
    assert code == OK
    assert all(ipaddress.ip_address(one).is_loopback for one in allowed(text)[1:-2])
    assert allowed(text)[-2:] == ["192.0.2.7", "192.0.2.53"]
    assert "192.0.2.53" not in allowed(restricted()[1])


def test_a_name_that_cannot_be_resolved_is_told(restricted):
    code, text = restricted(broker="no-such-broker.invalid")
    assert code == PARTLY_OK
    assert "# broker: no-such-broker.invalid\n# MISSING, its name cannot be resolved now" in text
    assert allowed(text) == ["localhost", "192.0.2.7", "192.0.2.53"]


def test_a_driver_that_does_not_say_is_told(restricted, tmp_path, monkeypatch):
    install_driver(tmp_path, monkeypatch, "strange")
    code, text = restricted(driver="strange", settings="{}", address="{at: x}")
    assert code == PARTLY_OK
    assert "# connection plant\n# MISSING, its driver does not say" in text


def test_a_broken_configuration_gives_no_drop_in(restricted):
    code, text = restricted(settings="{hots: 192.0.2.7}")
    assert (code, text) == (CONFIG_INVALID, "")


def test_name_servers_are_read_as_the_resolver_reads_them():
    text = "#nameserver 1.1.1.1\nnameserver 192.0.2.1\noptions edns0\nnameserver fe80::1%eth0\n"
    assert restrict.name_servers(text) == ["192.0.2.1", "fe80::1"]
    assert restrict.name_servers("") == []


def test_its_example_is_where_systemd_looks():
    assert Path(restrict.EXAMPLE.split()[-1]).parent.name == "edge-agent.service.d"
