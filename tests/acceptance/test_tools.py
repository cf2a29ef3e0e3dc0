"""Checks 4, 8, 11 and 12: the matcher, register lists, a quick help, and Chinese everywhere."""

import json
import random
import re
import struct
import subprocess
import sys

import pytest
import yaml
from edge_agent_modbus.candidates import Reading, candidates, parse_shown
from edge_agent_modbus.pdu import Table

from edge_agent.cli import main
from edge_agent.config import load
from tests.acceptance import record_session
from tests.rigs.beginner import IN_CHINESE, cleaned

# --- check 4 -------------------------------------------------------------------------------------

KINDS = {"float32": ">f", "uint32": ">I", "int32": ">i"}
ORDERS = {"ABCD": (0, 1, 2, 3), "CDAB": (2, 3, 0, 1), "BADC": (1, 0, 3, 2), "DCBA": (3, 2, 1, 0)}
LAYOUTS = 120


def layouts():
    rng = random.Random(7)
    for number in range(LAYOUTS):
        kind, order = list(KINDS)[number % 3], list(ORDERS)[number // 3 % 4]
        value = round(rng.uniform(100, 999), 1) if kind == "float32" else rng.randint(10**4, 10**7)
        yield kind, order, number % 5 % 3 - 1, value, rng


def words(kind, order, value):
    plain = struct.pack(KINDS[kind], value)
    return struct.unpack(">HH", bytes(plain[at] for at in ORDERS[order]))


def test_check_04_the_number_on_the_display_finds_the_true_decoding():
    first = 0
    for kind, order, shift, value, rng in layouts():
        registers = {at: rng.getrandbits(16) for at in range(99, 106)}
        registers |= dict(zip((100 + shift, 101 + shift), words(kind, order, value), strict=True))
        reading = Reading(registers, parse_shown(str(value)))
        found = [
            (kind in one.types, one.order, one.shift)
            for one in candidates(Table.HOLDING, 100, [reading])
        ]
        assert (True, order, shift) in found, (kind, order, shift, value)
        first += found[0] == (True, order, shift)
    assert first / LAYOUTS >= 0.9


# --- check 8 -------------------------------------------------------------------------------------

CONFIG = {
    "version": 1,
    "agent": {"id": "gw-01", "site": "hall"},
    "mqtt": {"url": "mqtt://localhost"},
    "connections": [
        {
            "name": "hall",
            "driver": "modbus",
            "settings": {"transport": "tcp", "host": "127.0.0.1"},
            "devices": [
                {"name": "plc", "address": {"unit": 1}, "points": {"run": {"address": "10001"}}}
            ],
        }
    ],
}
LIST = """\
名称,地址,类型,倍率,单位
油温,40005,short,1/10,℃
电压,0x0010,float,,V
阀门,Y10,bool,,
油温,40005,short,1/10,℃
坏的,DB1.DBW2,short,,
"""
ANSWERS = ["--answer", "model=delta-dvp", "--answer", "table=holding"]


@pytest.fixture
def hall(tmp_path):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    (tmp_path / "list.csv").write_bytes(LIST.encode("gb18030"))
    return tmp_path


def points(file):
    device = next(one for one in load(file).connections[0].devices if one.name == "plc")
    return {one.name: (one.address, one.scale, one.unit, one.label) for one in device.points}


def test_check_08_a_makers_list_is_previewed_right_and_goes_round(hall, capsys):
    config = str(hall / "config.yaml")
    into = ["--into", "hall/plc", *ANSWERS, "-c", config]
    assert main(["import", str(hall / "list.csv"), *into, "--json"]) == 6
    counts = json.loads(capsys.readouterr().out)["counts"]
    assert counts == {"ok": 3, "duplicate": 1, "address": 1}
    brought = points(hall / "config.yaml")
    oil = next(one for one in brought.values() if one[3] == "油温")
    valve = next(one for one in brought.values() if one[3] == "阀门")
    assert (oil[0].offset, oil[1], oil[2]) == (4, 0.1, "Cel")
    assert valve[0].offset == 1280 + 0o10  # Delta's Y counts octally from there
    assert valve[2] == ""

    again = hall / "again.csv"
    assert main(["export", "hall/plc", "-o", str(again), "-c", config]) == 0
    (hall / "config.yaml").write_text(yaml.safe_dump(CONFIG).replace("name: plc", "name: other"))
    new = ["--into", "hall/plc", "--address", "unit=1", "-c", config]
    assert main(["import", str(again), *new]) == 0
    assert points(hall / "config.yaml") == brought


# --- check 11 ------------------------------------------------------------------------------------

HELP_MODULES = 200
"""What is imported is what the start costs, wherever it runs; the milliseconds are measured by
`make bench`, on a machine that does nothing else."""
PROGRAM = """
import sys
there = set(sys.modules)
from edge_agent.cli import main
try:
    main(["--help"])
finally:
    imported = set(sys.modules) - there
    roots = {name.partition(".")[0] for name in imported}
    print(len(imported), *sorted(roots - sys.stdlib_module_names - {"edge_agent"}))
"""


def test_check_11_help_answers_at_once_and_imports_no_protocol():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    imported, *heavy = done.stdout.splitlines()[-1].split()
    print(f"--help: {imported} modules")
    assert heavy == [], "nothing but Python's own and ours"
    assert "  setup " in done.stdout
    assert int(imported) < HELP_MODULES


# --- check 12 ------------------------------------------------------------------------------------
# That every text has its translation is shown by tests/test_language.py.

CHINESE = re.compile(r"[\u4e00-\u9fff]")
NO_TEXT = re.compile(
    r"^[\s\d).+-]*$|^(\[[^\]]*\] )?>( |$)|^-|^/|^EDGE-AGENT SETUP|Which language|English|^edge/v1/"
    r"|^\S*\.(yaml|html)$|^[\w./:-]+( \.\.\.)?$"
)
"""What needs no translation: numbers, prompts, paths, names, and what stands there before anybody
has chosen a language."""


@pytest.mark.thorough
@pytest.mark.timeout(240)
def test_check_12_no_english_leaks_into_a_chinese_conversation(beginner):
    person = beginner(*IN_CHINESE)
    person.goes_on()
    assert person.terminal.exitstatus == 0
    written = record_session.outline(record_session.of_page("chinese"))
    assert record_session.outline(person.seen.replace("\r", ""))[: len(written)] == written
    said = [line.strip() for line in cleaned(person.seen).splitlines()]
    typed = {answer for answer in person.answers if answer}
    leaks = [
        line
        for line in said
        if not CHINESE.search(line) and not NO_TEXT.search(line) and line not in typed
    ]
    assert not leaks, "\n".join(leaks)
