"""Gathers a report: reads the configuration, asks the running agent, looks as the doctor does.

Reads only. While the agent runs, values come from it, since the machines are its own; else every
point is read once, as `edge-agent test` does.
"""

import hashlib
import json
import os
import platform
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from edge_agent import __version__
from edge_agent.bundle.contents import scrubber, written
from edge_agent.bundle.redaction import redacted
from edge_agent.config import experience
from edge_agent.config.library import Library
from edge_agent.config.loading import inspect
from edge_agent.config.model import Config
from edge_agent.config.model import Device as Configured
from edge_agent.doctor.examination import Report as Examined
from edge_agent.doctor.examination import examine
from edge_agent.doctor.gateway import Gateway as Here
from edge_agent.doctor.gateway import unit_properties
from edge_agent.errors import ConfigInvalid, ProfileUnavailable
from edge_agent.language import speaking
from edge_agent.notebook import FILE as NOTEBOOK
from edge_agent.report import record
from edge_agent.report.looking import Look, Readings, Told, look_at, nobody, patience_for
from edge_agent.report.model import Broker, Device, Gateway, Line, Profile, Remark, Report, Value

NOBODY = "various "  # the maker of what many makers sell alike

Json = dict[str, Any]


def gather(
    file: Path,
    longest: float | None = None,
    doctor: Examined | None = None,
    tell: Told = nobody,
) -> Report:
    """Make a report of this gateway, in English, without secrets.

    Args:
        file: The configuration.
        longest: Seconds to wait for points that are read seldom, at most; a minute if not given.
        doctor: What the doctor has found, if it has looked already.
        tell: Is told how long that still takes.

    Raises:
        ConfigInvalid: The configuration has mistakes.
    """
    with speaking("en"):
        inspection = inspect(file)
        if inspection.config is None:
            raise ConfigInvalid(inspection.errors, str(file))
        config = inspection.config
        look = look_at(config, patience_for(config, longest), tell)
        here = Here(file, inspection, look.status, unit_properties())
        doctor = doctor or examine(here)
    plain = written(file)
    kept = record.read(file)
    report = Report(
        made=time.time_ns() // 1_000_000,
        by=kept.by,
        gateway=_gateway(here, config),
        broker=_broker(config, look.status),
        lines=list(_lines(config, plain, look.status)),
        devices=list(_devices(config, plain, look, kept, Library(file.parent))),
        doctor=[
            Remark(group, str(one.level), one.subject, one.what, one.action, one.code)
            for group, found in doctor.groups.items()
            for one in found
        ],
        unseen=[f"{one.subject}: {one.why}" for one in doctor.unseen],
        power=kept.power,
    )
    return _clean(report, here, plain)


def _clean(report: Report, here: Here, plain: Any) -> Report:
    """Remove what is secret wherever it may stand, such as in a sentence of a machine's server."""
    user = here.config.mqtt.username if here.config else None
    clean = scrubber(here, plain, public=[user] if user else [])
    return msgspec.convert(clean.tree(msgspec.to_builtins(report)), Report)


# --- parts ---------------------------------------------------------------------------------------


def _gateway(here: Here, config: Config) -> Gateway:
    """Say which gateway this is. Source of the paths: Linux, device tree and sysfs DMI."""
    name = here.text("etc/os-release").partition('PRETTY_NAME="')[2].partition('"')[0]
    agent = here.status["agent"] if here.status else {}
    return Gateway(
        id=config.agent.id,
        site=config.agent.site,
        version=__version__,
        model=here.text("proc/device-tree/model") or here.text("sys/class/dmi/id/product_name"),
        serial=here.text("proc/device-tree/serial-number")
        or here.text("sys/class/dmi/id/product_serial"),
        system=", ".join(filter(None, (name, f"Linux {os.uname().release}", platform.machine()))),
        agent_since=agent.get("since"),
        configuration=hashlib.sha256(here.file.read_bytes()).hexdigest(),
    )


def _broker(config: Config, status: Json | None) -> Broker:
    mqtt, now = config.mqtt, status["broker"] if status else {}
    return Broker(
        host=mqtt.host,
        port=mqtt.port,
        tls=mqtt.tls,
        state=now.get("state", "unknown"),
        why=now.get("why", "") or now.get("note", ""),
        last_ack=now.get("last_ack"),
    )


def _lines(config: Config, plain: Any, status: Json | None) -> Iterator[Line]:
    known = {one["connection"]: one for one in status["connections"]} if status else {}
    for connection in config.connections:
        now = known.get(connection.name, {})
        yield Line(
            name=connection.name,
            driver=connection.driver,
            settings=_texts(_link(plain, connection.name).get("settings")),
            state=now.get("state", "unread"),
            why=now.get("why", "") or now.get("overload", ""),
            busy=now.get("busy"),
            polls=now.get("polls", 0),
            skipped=now.get("overruns", 0),
            noticed=now.get("evidence", {}),
        )


def _devices(
    config: Config, plain: Any, look: Look, kept: record.Record, library: Library
) -> Iterator[Device]:
    times = experience.read(config.buffer.path / NOTEBOOK).answer_times
    for connection in config.connections:
        for device in connection.devices:
            said = _device(_link(plain, connection.name), device.name)
            now = look.devices.get(device.name, {})
            seconds = times.get(device.name)
            profile = _Profile(library, connection.driver, device.profile)
            yield Device(
                name=device.name,
                label=device.label,
                connection=connection.name,
                driver=connection.driver,
                address=_texts(said.get("address")),
                profile=profile.named(),
                state=now.get("state", "unread"),
                why=now.get("why", ""),
                code=now.get("code", ""),
                answer_ms=None if seconds is None else round(seconds * 1000, 1),
                noticed=now.get("evidence", {}),
                values=_values(device, profile, look.readings),
                confirmed=kept.confirmed.get(device.name),
            )


def _values(device: Configured, profile: "_Profile", readings: Readings) -> list[Value]:
    found = []
    for point in device.points:
        now = readings.get((device.name, point.name), {})
        good = now.get("q") in ("good", "uncertain")
        found.append(
            Value(
                point=point.name,
                v=now["v"] if good else None,  # what is bad is no number, whatever came with it
                q=now.get("q", "unread"),
                why=now.get("why") or "",
                unit=point.unit,
                at=now.get("ts"),
                every=point.every,
                labels=profile.labels(point.name, point.label),
            )
        )
    return found


class _Profile:
    """What a device's profile says of it; nothing where it has none."""

    def __init__(self, library: Library, driver: str, name: str) -> None:
        self._name = name
        try:
            self._profile = library.load(driver, name) if name else None
        except ProfileUnavailable:
            self._profile = None

    def named(self) -> Profile | None:
        if not self._name:
            return None
        if self._profile is None:
            return Profile(self._name)
        title = self._profile.title.removeprefix(NOBODY)
        titles = {"en": title, "zh": self._profile.zh}
        return Profile(self._name, titles, self._profile.is_unverified)

    def labels(self, point: str, label: str) -> dict[str, str]:
        """Give what people call a point; what the configuration says counts more."""
        theirs = self._profile.points.get(point) if self._profile else None
        if theirs is None or label not in ("", theirs.label.en):
            return {"en": label} if label else {}
        return {"en": theirs.label.en, "zh": theirs.label.zh}


# --- as it is written in the file ----------------------------------------------------------------


def _link(plain: Any, name: str) -> Json:
    return _named(plain.get("connections"), name)


def _device(link: Json, name: str) -> Json:
    return _named(link.get("devices"), name)


def _named(entries: Any, name: str) -> Json:
    return next((one for one in entries or () if one.get("name") == name), {})


def _texts(values: Any) -> dict[str, str]:
    """Give settings or an address as texts, without what is secret by its key."""
    values = values if isinstance(values, Mapping) else {"at": values} if values else {}
    return {key: _text(value) for key, value in redacted(values).items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
