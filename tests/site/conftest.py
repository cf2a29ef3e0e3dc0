"""A commissioned gateway to make templates of, and equipment that is like its own."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from edge_agent.config import Config, parse
from edge_agent.site.exporting import export
from tests.rigs.holding_plc import Plc

PASSWORD, PIN = "hunter22-of-the-broker", "4711-of-the-oven"


def floats(*values: float) -> list[int]:
    packed = b"".join(struct.pack(">f", value) for value in values)
    return list(struct.unpack(f">{len(packed) // 2}H", packed))


def gateway(folder: Path, port: int = 502) -> dict[str, Any]:
    """A gateway with a meter on the network, two on a serial line, and an oven."""
    point = {"address": {"table": "holding", "offset": 0, "type": "float32"}, "unit": "V"}
    meter = {"label": "1号电表", "every": "200ms", "points": {"voltage_l1": point}}
    sdm = {"profile": "eastron-sdm630", "every": "5s"}
    fds1 = {"profile": "chint-dtsu666", "parameters": {"ct_ratio": "600/5"}}
    return {
        "version": 1,
        "agent": {"id": "gw-01", "site": "shaoxing-3/hall-2"},
        "mqtt": {
            "url": "mqtts://broker.example:8883",
            "username": "gw-01",
            "client_id": "edge-gw-01",
            "password_file": str(folder / "broker-password"),
        },
        "buffer": {"path": str(folder / "buffer")},
        "connections": [
            {
                "name": "converter",
                "driver": "modbus",
                "settings": {"transport": "tcp", "host": "127.0.0.1", "port": port},
                "devices": [{"name": "meter-1", "address": {"unit": 1}, **meter}],
            },
            {
                "name": "line-2",
                "driver": "modbus",
                "settings": {"transport": "rtu", "port": "/dev/ttyUSB7", "baud": 9600},
                "devices": [
                    {"name": "sdm-2", "address": {"unit": 2}, **sdm},
                    {"name": "dtsu-3", "address": {"unit": 3}, **fds1},
                ],
            },
            {
                "name": "oven",
                "driver": "opcua",
                "settings": {
                    "url": "opc.tcp://10.0.0.9:4840",
                    "username": "reader-of-this-oven",
                    "password_file": str(folder / "oven-password"),
                },
                "devices": [{"name": "oven-1", "points": {"t": {"address": "ns=2;s=T"}}}],
            },
        ],
    }


def meaning(text: str | bytes, folder: Path = Path()) -> Config:
    found = parse(text if isinstance(text, str) else text.decode(), folder)
    assert found.config is not None, found.errors
    return found.config


def exported(folder: Path, document: dict[str, Any]) -> str:
    """Write a configuration and make its template, without looking at any equipment."""
    file = folder / "config.yaml"
    file.write_text(json.dumps(document, ensure_ascii=False))
    return export(file, meaning(file.read_text(), folder), {}).text


@pytest.fixture
def commissioned(tmp_path):
    """The gateway with its secrets in files."""
    for name, secret in (("broker-password", PASSWORD), ("oven-password", PIN)):
        (tmp_path / name).write_text(f"{secret}\n")
        (tmp_path / name).chmod(0o600)
    return gateway(tmp_path)


@pytest.fixture
def meter():
    plc = Plc(floats(231.4) + [0] * 100)
    yield plc
    plc.stop()
