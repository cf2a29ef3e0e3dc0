"""The commissioning report: what stands in it, what must not, and that it can be read again."""

import asyncio
import json
import re
from html import unescape
from html.parser import HTMLParser

import msgspec
import pytest

from edge_agent.cli import main
from edge_agent.language import speaking
from edge_agent.report import gathering, making, record, sealed
from edge_agent.report.gathering import gather
from edge_agent.report.looking import Look
from edge_agent.report.model import (
    Broker,
    Confirmed,
    Device,
    Gateway,
    Line,
    Profile,
    Remark,
    Report,
    Value,
    decode,
    encode,
    seal_of,
)
from edge_agent.report.page import as_json, write_html
from tests.rigs.agent_process import agent, configure
from tests.rigs.holding_plc import Plc
from tests.rigs.mosquitto import mosquitto
from tests.rigs.until import until

HOSTILE = "</script><script>alert('1')</script>&\"<b>"


def values(number):
    return [
        Value(
            point=f"value_{index}",
            v=230.1 + index,
            q="good",
            unit="V",
            at=1_790_000_000_000,
            labels={"en": f"Voltage {index}", "zh": f"电压{index}"},
        )
        for index in range(number)
    ]


def report(**changes):
    made = Report(
        made=1_790_000_000_000,
        by="王芳",
        gateway=Gateway(id="gw-1", site="hall", version="1.0", serial="100000003d1d1c36"),
        broker=Broker(
            host="broker", port=8883, tls=True, state="connected", last_ack=1790000000000
        ),
        lines=[Line(name="bus", driver="modbus", settings={"port": "/dev/ttyUSB0"}, state="up")],
        devices=[
            Device(
                name="meter",
                label="1号电表",
                connection="bus",
                driver="modbus",
                address={"unit": "1"},
                profile=Profile("sdm630", {"en": "Eastron SDM630", "zh": "东鸿 SDM630"}, False),
                state="up",
                answer_ms=31.0,
                noticed={"reads": 100000, "answered": 99999, "damaged": 1},
                values=values(14),
                confirmed=Confirmed(1_789_999_000_000, {"value_0": "230.1"}),
            )
        ],
        doctor=[Remark("this gateway", "ok", "clock", "2026-11-26 00:33 UTC, known to be right")],
        power={
            "passed": False,
            "at": 1_789_999_500_000,
            "steps": [
                {"step": "broker", "ok": False, "told": "The broker has confirmed nothing since."}
            ],
        },
    )
    return msgspec.structs.replace(made, **changes)


def device(**changes):
    return report(devices=[msgspec.structs.replace(report().devices[0], **changes)])


def page(one, language="en"):
    with speaking(language):
        return write_html(one).decode()


def text(html):
    """Give what a reader sees."""
    bare = re.sub(r"<(style|script)\b.*?</\1>", "", html, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare)))


def test_it_is_one_small_file_that_asks_nobody_for_anything():
    usual = report(devices=[*report().devices] * 3)
    html = page(usual)
    assert len(html.encode()) < 60_000
    assert re.search(r"(src|href)=|url\(|@import|https?://|javascript:|\son\w+=", html) is None
    assert "default-src 'none'" in html
    assert "@page{size:A4" in html
    assert 'name="viewport"' in html


def test_it_says_who_when_where_what_and_how_it_stands():
    seen = text(page(report()))
    for word in (
        "王芳", "hall", "gw-1", "100000003d1d1c36", "1号电表", "Eastron SDM630",
        "● from maker's manual",
        "unit 1", "31 ms", "99.9 % of 100000 reads", "damaged answers (checksum): 1", "230.1 V",
        "broker:8883", "yes, TLS", "■ not passed", "The broker has confirmed nothing since.",
        "14 of 14 values are good.", report().seal,
    ):  # fmt: skip
        assert word in seen, word


@pytest.mark.parametrize("q", ["bad", "unread"])
def test_what_is_bad_or_was_not_read_is_never_shown_as_a_number(q):
    why = "timeout" if q == "bad" else ""
    one = Value(point="power", v=7.9, q=q, why=why, unit="kW")  # as some driver might give it
    seen = text(page(device(values=[one])))
    assert re.search(r"power -- [■○] (bad|not read)", seen)
    assert "7.9" not in seen
    assert "0 of 1 values are good" in seen
    assert "▲" in seen


def test_state_never_hangs_on_colour_alone():
    for found in re.findall(r'<span class="(?:ok|warn|fail|off)">(.*?)</span>', page(report())):
        assert re.match(r"[●▲■○] \w", found), found


class Parser(HTMLParser):
    """Notes which elements there are, and that each is closed in its turn."""

    def __init__(self):
        super().__init__()
        self.seen, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_whatever_a_device_is_called_stays_text(tmp_path):
    hostile = report(
        by=HOSTILE,
        gateway=Gateway(id=HOSTILE, site=HOSTILE, version=HOSTILE, model=HOSTILE),
        unseen=[HOSTILE],
        devices=[
            Device(
                name=HOSTILE, connection=HOSTILE, driver=HOSTILE, label=HOSTILE, why=HOSTILE,
                address={HOSTILE: HOSTILE}, profile=Profile(HOSTILE, {"en": HOSTILE}),
                state=HOSTILE,
                noticed={HOSTILE: 1, "reads": 1}, confirmed=Confirmed(1, {HOSTILE: HOSTILE}),
                values=[Value(point=HOSTILE, v=HOSTILE, q=HOSTILE, why=HOSTILE, unit=HOSTILE)],
            )
        ],
        lines=[Line(name=HOSTILE, driver=HOSTILE, settings={HOSTILE: HOSTILE}, why=HOSTILE)],
        broker=Broker(host=HOSTILE, port=1, tls=False, state=HOSTILE, why=HOSTILE),
        doctor=[Remark(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)],
        power={"passed": True, "at": 0, "steps": [{"ok": True, "told": HOSTILE}]},
    )  # fmt: skip
    parser = Parser()
    parser.feed(page(hostile))
    assert parser.open == []
    assert parser.seen.count("script") == 1  # the data
    assert "b" not in parser.seen
    file = tmp_path / "report.html"
    file.write_bytes(write_html(hostile))
    assert sealed.read(file).report == hostile


def test_it_can_be_read_again_and_tells_whether_somebody_changed_it(tmp_path):
    file = tmp_path / "report.html"
    file.write_bytes(write_html(report()))
    assert sealed.read(file) == (report(), True)
    file.write_bytes(write_html(report()).replace(b'"v":231.1', b'"v":233.1'))
    assert not sealed.read(file).is_intact
    file.write_text(as_json(report()))
    assert sealed.read(file) == (report(), True)


def test_a_report_that_another_version_made_is_intact_too(tmp_path):
    """It has keys that this version does not know, and lacks some that it does."""
    document = json.loads(as_json(report()))["report"]
    document["weather"] = "dry"
    del document["devices"][0]["answer_ms"]
    file = tmp_path / "report.json"
    seal = seal_of(json.dumps(document).encode())
    file.write_text(json.dumps({"sha256": seal, "report": document}, indent=1))
    assert sealed.read(file).is_intact
    file.write_text(file.read_text().replace("dry", "wet"))
    assert not sealed.read(file).is_intact


@pytest.mark.parametrize(
    "content", [b"", b"<html></html>", b"{}", b"[1]", b'{"sha256":"","report":{}}', b"\xff\xfe"]
)
def test_what_is_no_report_is_refused_with_a_sentence(content, tmp_path, capsys):
    file = tmp_path / "x.html"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="it is no report of edge-agent"):
        sealed.read(file)
    assert main(["doctor", "-c", str(tmp_path / "none.yaml"), "--compare", str(file)]) == 2
    assert "cannot compare with" in capsys.readouterr().err


def test_a_report_of_a_later_version_is_refused():
    with pytest.raises(ValueError, match="version 2"):
        decode(encode(report(version=2)))


def test_chinese_has_the_profiles_own_labels():
    html = page(report(), "zh")
    assert '<html lang="zh">' in html
    assert "电压0" in html
    assert "东鸿 SDM630" in html
    assert "Voltage 0" not in text(html)


# --- gathered ------------------------------------------------------------------------------------

WORD = "canary-7f3a-secret"


def plc_connection(port):
    points = {
        "oil": {"address": {"table": "holding", "offset": 0, "type": "uint16"}, "unit": "Cel"}
    }
    return {
        "name": "hall",
        "driver": "modbus",
        "settings": {"transport": "tcp", "host": "127.0.0.1", "port": port, "timeout": "300ms"},
        "devices": [
            {
                "name": "press",
                "label": f"press {WORD}",  # somebody wrote it where it does not belong
                "address": {"unit": 1},
                "every": "200ms",
                "points": points,
            }
        ],
    }


@pytest.fixture
def plc():
    running = Plc([235])
    yield running
    if running._thread.is_alive():
        running.stop()


async def _before_and_after(folder, plc):
    """Make a report while the machine answers, and one after it was switched off."""
    password = folder / "password"
    password.touch(0o600)
    password.write_text(WORD)
    async with mosquitto(folder, "allow_anonymous true") as port:
        account = {"username": "gw", "password_file": password.name}
        config = configure(port, plc_connection(plc.port), **account)
        async with agent(folder, config) as running:
            await until(lambda: running.status()["broker"]["last_ack"])
            record.keep(running.file, confirmed={"press": {"at": 1, "values": {"oil": "235"}}})
            first = await asyncio.to_thread(gather, running.file, 3.0)
            plc.stop()
            await until(lambda: running.status()["devices"][0]["state"] != "up")
            return first, await asyncio.to_thread(gather, running.file, 0.5)


@pytest.mark.thorough
async def test_it_is_made_of_what_the_running_agent_reads(tmp_path, plc):
    first, second = await _before_and_after(tmp_path, plc)
    [press] = first.devices
    assert press.state == "up"
    assert press.address == {"unit": "1"}
    assert press.noticed["answered"] > 0
    assert press.confirmed == Confirmed(1, {"oil": "235"})
    [oil] = press.values
    assert (oil.v, oil.q, oil.unit) == (235, "good", "Cel")
    assert abs(oil.at - first.made) < 60_000
    assert first.broker.state == "connected"
    assert first.broker.last_ack
    assert first.lines[0].settings["timeout"] == "300ms"
    assert any(one.group == "the broker" for one in first.doctor)
    for one in (first, second):
        assert WORD.encode() not in write_html(one)

    [press] = second.devices
    assert press.state in ("silent", "down")
    assert press.why
    assert [(one.v, one.q) for one in press.values] in ([(None, "bad")], [(None, "unread")])


def test_a_bad_reading_with_a_value_becomes_no_number(demo, monkeypatch):
    reading = {"v": 7.9, "q": "bad", "why": "stale", "ts": 1}
    look = Look(None, {}, {("oven", "heat"): reading})
    monkeypatch.setattr(gathering, "look_at", lambda *_: look)
    [heat] = gather(demo).devices[0].values
    assert (heat.v, heat.q, heat.why) == (None, "bad", "stale")


@pytest.fixture
def demo(tmp_path):
    file = tmp_path / "config.yaml"
    document = {
        "version": 1,
        "agent": {"id": "gw-1", "site": "hall"},
        "mqtt": {"url": "mqtt://127.0.0.1:1"},
        "buffer": {"path": str(tmp_path / "buffer")},
        "connections": [
            {
                "name": "demo-1",
                "driver": "simulated",
                "devices": [{"name": "oven", "points": {"heat": {"address": {"middle": 20}}}}],
            }
        ],
    }
    file.write_text(json.dumps(document))
    return file


def test_without_an_agent_every_point_is_read_once(demo, capsys):
    assert main(["report", "-c", str(demo), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    [oven] = document["report"]["devices"]
    assert oven["state"] == "up"
    assert oven["values"][0]["q"] == "good"
    assert decode(json.dumps(document["report"]).encode()).seal == document["sha256"]


def test_the_command_writes_one_file_and_the_doctor_compares_with_it(demo, capsys):
    assert main(["report", "-c", str(demo), "--by", "Wang Fang"]) == 0
    file = capsys.readouterr().out.strip()
    assert re.fullmatch(rf"{demo.parent}/report-gw-1-\d{{4}}-\d\d-\d\d\.html", file)
    demo.write_text(demo.read_text().replace('"oven"', '"kiln"'))
    assert main(["doctor", "-c", str(demo), "--compare", file, "--json"]) == 6
    found = json.loads(capsys.readouterr().out)["findings"]
    changes = [(one["subject"], one["code"]) for one in found if one["group"] == "since the report"]
    assert changes == [("device oven", "D-COMPARE-GONE"), ("device kiln", "")]
    assert record.read(demo).by == "Wang Fang"  # for later reports


def test_a_broken_configuration_is_said_and_no_report_is_made(demo, capsys):
    demo.write_text("version: 2\n")
    assert main(["report", "-c", str(demo)]) == 3
    assert list(demo.parent.glob("report*")) == []


def test_where_it_cannot_be_written_is_said(demo, capsys):
    assert main(["report", "-c", str(demo), "--out", str(demo.parent / "no/such.html")]) == 2
    assert "--output" in capsys.readouterr().err


def test_what_is_kept_grows_and_a_damaged_file_is_as_none(tmp_path):
    config = tmp_path / "config.yaml"
    record.keep(config, by="A", confirmed={"meter": {"at": 1, "values": {"v": "1"}}})
    record.keep(config, power={"passed": True, "at": 2, "steps": []})
    kept = record.read(config)
    assert (kept.by, kept.confirmed["meter"].at, kept.power["passed"]) == ("A", 1, True)
    (tmp_path / record.FILE).write_text("{")
    assert record.read(config) == record.Record()


def test_a_link_that_waits_where_it_is_written_is_not_followed(tmp_path):
    victim = tmp_path / "shadow"
    victim.write_text("as it was")
    for name in (".report.html.new", f".{record.FILE}.new"):
        (tmp_path / name).symlink_to(victim)
    making.write(tmp_path / "report.html", b"<!doctype html>")
    record.keep(tmp_path / "config.yaml", by="王芳")
    assert victim.read_text() == "as it was"
    assert (tmp_path / "report.html").read_bytes() == b"<!doctype html>"
    assert record.read(tmp_path / "config.yaml").by == "王芳"
