"""`edge-agent import` and `export`, as people and programs see them."""

import json
import sys
from pathlib import Path

import pexpect
import pytest

from edge_agent.cli import main
from edge_agent.command import CONFIG_INVALID, OK, PARTLY_OK, USAGE
from edge_agent.config import load
from tests.rigs.holding_plc import Plc

CONFIG = """\
version: 1
agent: {id: gw-01, site: hall}
mqtt: {url: mqtt://localhost}
connections:
  - name: hall-3        # by hand
    driver: modbus
    settings: {transport: tcp, host: 127.0.0.1, port: 502}
    devices:
      - name: press-1
        address: {unit: 1}
        points:
          running: {address: "10001", deadband: 0}   # checked
buffer: {path: /tmp/x}
"""
LIST = (
    "名称,地址,类型,倍率,单位\n油温,40005,short,1/10,℃\n坏,DB1.DBW2,short,,\n电压,40001,float,,V\n"
)
OPEN = "名称,地址,类型,倍率\n电压,4,uint16,0.1\n油温,5,uint16,0.1\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "list.csv").write_bytes(LIST.encode("gb18030"))
    (tmp_path / "open.csv").write_text(OPEN)
    return tmp_path


def run(site: Path, *words: str) -> int:
    return main([*words, "-c", str(site / "config.yaml")])


def test_a_list_is_shown_row_by_row_and_printed_as_a_device(site: Path, capsys) -> None:
    assert run(site, "import", str(site / "list.csv")) == PARTLY_OK
    out = capsys.readouterr().out
    assert out.startswith("# 3 rows: 2 ok, 1 address unclear\n")
    assert "# 3  refused  坏" in out
    assert "of which Modbus knows nothing" in out
    assert "# taken as numbers=book; --answer says otherwise" in out
    assert "# the list does not say the unit of the device: give it `address: {unit: ...}`" in out
    assert out.endswith(
        "- name: NAME\n  points:\n"
        "    oil_temperature: {address: {table: holding, offset: 4, type: int16}, "
        'label: "油温", unit: Cel, scale: 0.1}\n'
        "    voltage: {address: {table: holding, offset: 0, type: float32}, "
        'label: "电压", unit: V}\n'
    )


def test_points_go_into_the_file_and_the_one_before_is_kept(site: Path, capsys) -> None:
    config = site / "config.yaml"
    assert (
        run(site, "import", str(site / "list.csv"), "--into", "hall-3/press-1", "--json")
        == PARTLY_OK
    )
    document = json.loads(capsys.readouterr().out)
    assert (document["written"], document["added"]) == (str(config), 2)
    assert Path(document["kept"]).read_text() == CONFIG
    assert "   # checked\n          oil_temperature: {" in config.read_text()
    (device,) = load(config).connections[0].devices
    assert [point.name for point in device.points] == ["running", "oil_temperature", "voltage"]
    assert {point.address.unit for point in device.points} == {1}  # type: ignore[attr-defined]
    before = config.read_text()
    assert run(site, "import", str(site / "list.csv"), "--into", "hall-3/press-1") == PARTLY_OK
    assert config.read_text() == before


def test_a_file_from_another_system_keeps_its_line_ends(site: Path) -> None:
    config = site / "config.yaml"
    config.write_bytes(CONFIG.replace("\n", "\r\n").encode())
    assert run(site, "import", str(site / "list.csv"), "--into", "hall-3/press-1") == PARTLY_OK
    text = config.read_bytes()
    assert text.count(b"\r\n") == text.count(b"\n") == CONFIG.count("\n") + 2


def test_a_point_that_says_something_else_is_never_replaced(site: Path) -> None:
    (site / "list.csv").write_text("name,address\nrunning,40001\n")
    words = ("import", str(site / "list.csv"), "--into", "hall-3/press-1")
    assert run(site, *words) == CONFIG_INVALID
    assert (site / "config.yaml").read_text() == CONFIG


def test_a_new_device_needs_to_be_told_apart_on_its_line(site: Path, capsys) -> None:
    words = ("import", str(site / "list.csv"), "--into", "hall-3/press-2")
    assert run(site, *words) == CONFIG_INVALID
    assert "--address unit=..." in capsys.readouterr().err
    assert run(site, *words, "--address", "unit=7") == PARTLY_OK
    assert {
        str(point.address)[:6]
        for point in load(site / "config.yaml").connections[0].devices[1].points
    } == {"unit 7"}


def test_the_list_of_another_station_is_no_list_of_this_device(site: Path, capsys) -> None:
    (site / "list.csv").write_text("name,address,type,站号\nu,40001,word,3\n")
    assert run(site, "import", str(site / "list.csv"), "--into", "hall-3/press-1") == CONFIG_INVALID
    assert "u: the list says unit 3, and the device has 1" in capsys.readouterr().err
    assert (site / "config.yaml").read_text() == CONFIG


def test_what_is_open_is_listed_and_nothing_is_done(site: Path, capsys) -> None:
    words = ("import", str(site / "open.csv"), "--into", "hall-3/press-1")
    assert run(site, *words) == CONFIG_INVALID
    err = capsys.readouterr().err
    assert (
        "--answer numbers=...: What do numbers such as 4 mean? (book, book-0, wire, register" in err
    )
    assert "numbers=wire: addresses that count from 0" in err
    assert (site / "config.yaml").read_text() == CONFIG
    assert run(site, *words, "--json") == CONFIG_INVALID
    assert [one["id"] for one in json.loads(capsys.readouterr().out)["questions"]] == [
        "numbers",
        "table",
    ]
    answers = ("--answer", "numbers=wire", "--answer", "table=holding")
    assert run(site, *words, *answers) == OK
    assert load(site / "config.yaml").connections[0].devices[0].points[1].address.offset == 4  # type: ignore[attr-defined]


def test_nothing_is_written_while_anything_is_open(site: Path, capsys) -> None:
    (site / "list.csv").write_text("name,address,type\na,holding:5,word\nb,4:7,word\n")
    assert run(site, "import", str(site / "list.csv"), "--into", "hall-3/press-1") == CONFIG_INVALID
    assert (site / "config.yaml").read_text() == CONFIG
    assert "prefixed=0" in capsys.readouterr().err


def test_one_known_value_settles_it_on_the_real_device(site: Path, capsys) -> None:
    plc = Plc([0, 0, 0, 2314, 415, 7, 9])
    try:
        (site / "config.yaml").write_text(CONFIG.replace("port: 502", f"port: {plc.port}"))
        words = ("import", str(site / "open.csv"), "--into", "hall-3/press-1", "--json")
        assert run(site, *words, "--answer", "table=holding", "--check", "2=231.4") == OK
    finally:
        plc.stop()
    out, err = capsys.readouterr()
    assert "row 2 shows 231.4, read at {'table': 'holding', 'offset': 3" in err
    assert "numbers=register" in err
    rows = json.loads(out)["rows"]
    assert [row["point"]["address"]["offset"] for row in rows] == [3, 4]


def test_a_device_that_is_away_is_named(site: Path, capsys) -> None:
    (site / "config.yaml").write_text(CONFIG.replace("port: 502", "port: 1"))
    words = ("import", str(site / "open.csv"), "--into", "hall-3/press-1", "--check", "2=231.4")
    assert run(site, *words) == CONFIG_INVALID
    assert "hall-3: " in capsys.readouterr().err


@pytest.mark.thorough
def test_somebody_at_a_terminal_is_asked(site: Path) -> None:
    program = "from edge_agent.cli import main; raise SystemExit(main())"
    words = ["-c", program, "import", str(site / "open.csv"), "-c", str(site / "config.yaml")]
    terminal = pexpect.spawn(sys.executable, words, encoding="utf-8", timeout=60,
                             env={"TERM": "dumb", "LANG": "C.UTF-8", "PATH": ""})  # fmt: skip
    terminal.delaybeforesend = None
    terminal.expect("This concerns row 2, 3")
    terminal.expect("What do numbers such as 4 mean")
    terminal.expect(r"> ?$|: ?$")
    terminal.sendline("3")
    terminal.expect("Which are they")
    terminal.expect(r"> ?$|: ?$")
    terminal.sendline("1")
    terminal.expect("- name: NAME")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    terminal.close()
    assert terminal.exitstatus == OK


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["none.csv"], CONFIG_INVALID, "there is no file none.csv"),
        (
            ["open.csv", "--into", "hall-9"],
            CONFIG_INVALID,
            "no connection 'hall-9'; there are: hall-3",
        ),
        (["open.csv", "--answer", "numbers"], USAGE, "--answer numbers=wire"),
        (["open.csv", "--check", "2=231.4"], USAGE, "--check reads a device"),
        (["open.csv", "--driver", "fax"], CONFIG_INVALID, "there is no driver 'fax'"),
        (["list.csv", "--into", "hall-3"], CONFIG_INVALID, "--into hall-3/DEVICE"),
        (["list.csv", "--corrected", "list.csv"], USAGE, "is there already"),
    ],
)
def test_mistakes_are_named(
    site: Path, words: list[str], code: int, said: str, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(site)
    assert run(site, "import", *words) == code
    assert said in capsys.readouterr().err
    assert (site / "config.yaml").read_text() == CONFIG


def test_the_corrected_file_is_for_excel_and_for_us(site: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(site)
    assert run(site, "import", "list.csv", "--corrected", "new.csv", "--dry-run") == PARTLY_OK
    text = (site / "new.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbfrow,device,point,label,address,type,unit,scale,remark\r\n")
    mended = text.replace(b"DB1.DBW2", b"40007")
    (site / "mended.csv").write_bytes(mended)
    assert run(site, "import", "mended.csv") == OK
    capsys.readouterr()


def test_export_writes_what_import_reads(site: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(site)
    assert run(site, "export", "hall-3/press-1", "--output", "out.csv") == OK
    assert run(site, "export", "hall-3") == OK
    assert capsys.readouterr().out == (
        "device,point,label,address,id,type,unit,scale,every,deadband\n"
        "press-1,running,,discrete:0,1,bool,,,1s,0.0\n"
    )
    assert run(site, "import", "out.csv", "--dry-run", "--json") == OK
    (block,) = json.loads(capsys.readouterr().out)["devices"]
    assert block["points"]["running"]["address"] == {"table": "discrete", "offset": 0}
    assert run(site, "export", "hall-3/none") == USAGE
    assert run(site, "export", "hall-3", "--output", "out.csv") == USAGE


def test_importing_needs_no_driver_to_show_its_help(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["import", "--help"])
    assert (
        "example: edge-agent import registers.xlsx --into hall-3/press-1" in capsys.readouterr().out
    )
