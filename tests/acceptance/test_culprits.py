"""Check 10: broker, device or clock is pulled, and within 30 s the right one is named."""

import json
import time

import pytest
import yaml

from tests.acceptance.conftest import running_broker

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(240)]

WITHIN = 30.0  # seconds
OF_BROKER, OF_MACHINES = ("D-BROKER",), ("D-DEVICE", "D-LINK", "D-PORT")


def configure(bench, port):
    settings = {"transport": "rtu", "port": bench.line.port, "baud": 9600, "parity": "even"}
    devices = [
        {"name": "meter", "address": {"unit": 1}, "profile": "eastron-sdm630", "every": "1s"},
        {"name": "climate", "address": {"unit": 2}, "profile": "xy-md02", "every": "1s"},
    ]
    document = {
        "version": 1,
        "agent": {"id": "gw-1", "site": "hall"},
        "mqtt": {"url": f"mqtt://127.0.0.1:{port}"},
        "buffer": {"path": "buffer"},
        "connections": [
            {"name": "bus", "driver": "modbus", "settings": settings, "devices": devices}
        ],
    }
    bench.config.parent.mkdir(exist_ok=True)
    bench.config.write_text(yaml.safe_dump(document))


@pytest.fixture
def box(bench, tmp_path_factory):
    """A box that runs well, and what pulls its broker."""
    broker = running_broker(tmp_path_factory.mktemp("broker"))
    configure(bench, broker.__enter__())
    bench.switch_on()
    wait(lambda: bench.runs() and all(one["state"] == "up" for one in bench.status()["devices"]))
    wait(lambda: bench.status()["broker"]["last_ack"])
    pulled = []

    def pull() -> None:
        pulled.append(broker.__exit__(None, None, None))

    yield bench, pull
    if not pulled:
        pull()


def wait(happened):
    """Look until it is so; gives the seconds it took."""
    begun = time.monotonic()
    while not happened():
        assert time.monotonic() - begun < WITHIN, "nobody was named in time"
        time.sleep(0.2)
    return time.monotonic() - begun


def failed(bench):
    """Give subject and code of everything the doctor wants mended."""
    found = json.loads(bench.run("doctor", "--json").stdout)["findings"]
    return [(one["subject"], one["code"]) for one in found if one["level"] == "fail"]


def test_check_10_without_a_pull_nobody_is_blamed(box):
    bench, _pull = box
    assert failed(bench) == []


def test_check_10_a_broker_that_is_away_is_named_and_no_machine(box):
    bench, pull = box
    pull()
    wait(lambda: bench.status()["broker"]["state"] != "connected")
    wait(lambda: any(code.startswith(OF_BROKER) for _subject, code in failed(bench)))
    assert [one for one in failed(bench) if one[1].startswith(OF_MACHINES)] == []

    def told():
        screen = bench.run("status").stdout
        return next(line for line in screen.splitlines() if line.startswith("broker"))

    wait(lambda: "refused" in told())  # at the next attempt: at first the connection was lost


def test_check_10_a_device_that_is_off_is_named_and_not_its_neighbour(box):
    bench, _pull = box
    del bench.line.devices[1]
    wait(lambda: ("device meter", "D-DEVICE") in failed(bench))
    assert [subject for subject, _code in failed(bench)] == ["device meter"]
    states = {one["device"]: one["state"] for one in bench.status()["devices"]}
    assert states == {"meter": "silent", "climate": "up"}


def test_check_10_and_03_an_adapter_that_is_gone_from_its_name_is_named(box):
    bench, _pull = box
    bench.line.line.unplug()
    wait(lambda: any(code == "D-PORT-MISSING" for _subject, code in failed(bench)))
    assert [one for one in failed(bench) if one[1].startswith(OF_BROKER)] == []


def test_check_10_a_clock_that_lost_its_date_is_named(box):
    bench, _pull = box
    (bench.folder / "clock").write_text("1970-01-01T00:03:00+00:00")
    assert failed(bench) == [("clock", "D-CLOCK-DATE")]
