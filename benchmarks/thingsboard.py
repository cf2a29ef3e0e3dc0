"""`thingsboard-gateway`: a thread for its connector, with asyncio, and one for the platform.

It can be told what to read in two ways, and keep what waits for the platform in several.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.configuration import Load
from benchmarks.peers import PYTHON, Peer, Start

# It installs the last three itself at its first start; they are there, so that no start takes that.
WANTS = (
    "thingsboard-gateway==3.8.5",
    "pymodbus==3.9.2",
    "pyserial==3.5",
    "pyserial-asyncio==0.6",
)
QUIET = (
    "database",
    "service",
    "connector",
    "converter",
    "tb_connection",
    "storage",
    "extension",
)
LOGS = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"nowhere": {"class": "logging.NullHandler"}},
    "loggers": {
        name: {"handlers": ["nowhere"], "level": "ERROR", "propagate": False} for name in QUIET
    },
    "root": {"level": "ERROR", "handlers": ["nowhere"]},
}
MEMORY = {"type": "memory", "read_records_count": 1000, "max_records_count": 100000}
SQLITE = {"type": "sqlite", "data_file_path": "./data/"}  # the rest is as it comes


@dataclass(frozen=True)
class ThingsBoard(Peer):
    """The gateway in one of its ways.

    Attributes:
        ranges: Whether somebody wrote down by hand which addresses fit into one request; else there
            is an entry for each register, as its documentation's examples and its own screens have
            them, and a request for each.
        on_disk: Whether what waits is kept in SQLite; else in memory, which it loses when it ends.
    """

    ranges: bool = True
    on_disk: bool = False

    def command(self, folder: Path, load: Load, ports: Sequence[int], broker: int) -> Start:
        home = folder / "thingsboard"
        for needed in ("logs", "data"):
            (home / needed).mkdir(parents=True)
        entries = _range(load) if self.ranges else _each(load)
        slaves = [_slave(number, port, load, entries) for number, port in enumerate(ports)]
        _write(home / "tb_gateway.json", _gateway(broker, SQLITE if self.on_disk else MEMORY))
        _write(home / "modbus.json", {"master": {"slaves": slaves}})
        _write(home / "logs.json", LOGS)
        words = (
            f"import os; os.chdir({str(home)!r})\n"
            "from thingsboard_gateway.tb_gateway import main; main()"
        )
        return Start([self.folder / PYTHON, "-c", words], {"TB_GW_CONFIG_DIR": str(home)})


def _gateway(broker: int, storage: Mapping[str, object]) -> dict[str, object]:
    return {
        "thingsboard": {
            "host": "127.0.0.1",
            "port": broker,
            "remoteShell": False,
            "remoteConfiguration": False,
            "statistics": {"enable": False},
            "maxPayloadSizeBytes": 65536,
            "minPackSendDelayMS": 50,
            "minPackSizeToSend": 500,
            "checkConnectorsConfigurationInSeconds": 3600,
            "security": {"type": "accessToken", "accessToken": "bench"},
            "qos": 1,
            "checkingDeviceActivity": {"checkDeviceInactivity": False},
        },
        "storage": storage,
        "grpc": {"enabled": False},
        "connectors": [{"type": "modbus", "name": "plant", "configuration": "modbus.json"}],
    }


def _slave(
    number: int, port: int, load: Load, entries: list[dict[str, object]]
) -> dict[str, object]:
    return {
        "host": "127.0.0.1",
        "port": port,
        "type": "tcp",
        "method": "socket",
        "unitId": 1,
        "deviceName": f"machine-{number:03}",
        "deviceType": "default",
        "timeout": 5,
        "byteOrder": "BIG",
        "wordOrder": "BIG",
        "retries": 1,
        "pollPeriod": round(load.every * 1000),
        "connectAttemptTimeMs": 500,
        "connectAttemptCount": 5,
        "attributes": [],
        "timeseries": entries,
    }


def _range(load: Load) -> list[dict[str, object]]:
    span = {"address": f"0-{load.registers - 1}", "maxRegistersPerRequest": 125}
    return [{"tag": "value_${address}", **_uint16(), **span}]


def _each(load: Load) -> list[dict[str, object]]:
    return [{"tag": f"value_{at:03}", **_uint16(), "address": at} for at in range(load.registers)]


def _uint16() -> dict[str, object]:
    return {"type": "16uint", "functionCode": 3, "objectsCount": 1}


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))


WAYS = (
    ThingsBoard("thingsboard-gateway, ranges by hand, in memory", WANTS),
    ThingsBoard("thingsboard-gateway, ranges by hand, SQLite", WANTS, on_disk=True),
    ThingsBoard("thingsboard-gateway, register by register, in memory", WANTS, ranges=False),
)
