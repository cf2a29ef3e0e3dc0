"""A whole list: every row has its fate, and what is open is asked once."""

from pathlib import Path

import pytest

from edge_agent.registers import ListUnreadable, RegisterList, read_list
from tests.rigs.register_lists import listed

METER = """\
电表寄存器表,,,,,,
,,,,,,
序号,名称,地址,功能码,类型,倍率,单位
1,A相电压,40001,03,uint16,1/10,V
2,B相电压,40002,03,uint16,1/10,V
3,总有功电能,0x1000,03,双字,,kWh
4,油温,40005,03,short,0.1,
5,油温,40005,03,short,0.1,
6,阀位,Y10,,,,
7,频率,40X07,03,uint16,0.01,Hz

说明：以上为只读
序号,单位,名称,地址,类型
8,bar,压力,40011,real
"""


def test_the_preview_counts_right_and_nothing_is_dropped() -> None:
    """Acceptance check 8 of the issue: GB18030, 40001-style, 0x, octal, duplicates, blank units."""
    found = listed(METER, model="delta-dvp")
    assert [(row.row, row.code) for row in found.rows] == [
        (4, ""), (5, ""), (6, ""), (7, ""), (8, "duplicate"), (9, ""), (10, "address"),
        (12, "heading"), (14, ""),
    ]  # fmt: skip
    assert found.summary() == (
        "9 rows: 6 ok (1 changed), 1 duplicate, 1 address unclear, 1 without an address"
    )
    assert found.rows[4].reason == "says the same as row 7"
    octal = found.row(9)
    assert octal is not None
    assert octal.point["address"] == {"table": "coil", "offset": 1288}


def test_columns_may_change_their_order_further_down() -> None:
    (row,) = [row for row in listed(METER, model="delta-dvp").rows if row.row == 14]
    assert row.point == {
        "address": {"table": "holding", "offset": 10, "type": "float32"},
        "label": "压力",
        "unit": "bar",
    }


def test_the_same_list_reads_the_same_in_every_encoding(tmp_path: Path) -> None:
    def read(encoding: str) -> RegisterList:
        path = tmp_path / "list.csv"
        path.write_bytes(METER.encode(encoding))
        return read_list(path, "modbus", {"model": "delta-dvp"})

    assert read("gb18030") == read("utf-8") == read("utf-8-sig")


def test_points_are_as_in_the_configuration() -> None:
    (row,) = listed(
        "tag,name,address,type,scale,unit,周期(ms),deadband,no value,add\n"
        "Oil-Temp,Oil temperature,30108,int16,0.1,℃,500,2%,0x8000;-1,-40\n"
    ).rows
    assert (row.name, row.point) == (
        "oil_temp",
        {
            "address": {"table": "input", "offset": 107, "type": "int16"},
            "label": "Oil temperature",
            "unit": "Cel",
            "scale": 0.1,
            "add": -40,
            "every": "500ms",
            "deadband": "2%",
            "no_value": [32768, -1],
        },
    )


@pytest.mark.parametrize(
    ("columns", "row", "scale"),
    [
        ("divisor", "10", 0.1), ("decimals", "2", 0.01), ("scale,decimals", "1,1", 0.1),
        ("resolution", "0.1 V", 0.1), ("scale", "-", 1), ("倍率", "×10", 10),
        ("scale,divisor", "0.1,10", 0.1),
    ],
)  # fmt: skip
def test_factors_have_many_columns(columns: str, row: str, scale: float) -> None:
    (found,) = listed(f"name,address,type,{columns}\np,40001,uint16,{row}").rows
    assert found.point.get("scale", 1) == scale


@pytest.mark.parametrize(
    ("columns", "row", "code"),
    [
        ("scale", "ten", "scale"), ("scale,divisor", "0.1,100", "scale"),
        ("decimals", "1.5", "scale"),
        ("every", "often", "interval"), ("deadband", "x", "value"), ("low", "3", "value"),
        ("no value", "[1", "value"), ("deadband", "-1", "value"), ("deadband", "1e400", "value"),
        ("low,high", "3,1", "value"), ("access", "WO", "access"),
    ],
)  # fmt: skip
def test_a_cell_that_means_nothing_refuses_its_row(columns: str, row: str, code: str) -> None:
    (found,) = listed(f"name,address,type,{columns}\np,40001,uint16,{row}").rows
    assert (found.code, found.point) == (code, {})


def test_a_unit_beside_the_factor_counts_and_an_unknown_one_is_kept_and_told() -> None:
    found = listed(
        "name,address,type,精度,resolution,unit\na,40001,word,,0.1 kPa,\nb,40002,word,,,foo"
    )
    assert [row.point.get("unit") for row in found.rows] == ["kPa", "foo"]
    assert found.rows[1].state == "changed"
    assert found.notes == ["columns that are not used: 精度"]


def test_bare_factors_multiply_unless_answered_otherwise() -> None:
    text = "name,address,type,倍率\na,40001,word,10"
    assert [(one.id, one.default) for one in listed(text).taken][-1] == ("factor", "multiply")
    assert listed(text).rows[0].point["scale"] == 10
    assert listed(text, factor="divide").rows[0].point["scale"] == 0.1


def test_a_gain_and_a_bare_interval_are_asked_for() -> None:
    text = "name,address,type,gain,interval\na,40001,word,10,1000"
    assert [question.id for question in listed(text).questions] == ["gain", "interval"]
    (row,) = listed(text, gain="divide", interval="ms").rows
    assert (row.point["scale"], row.point["every"]) == (0.1, "1s")


def test_equal_names_are_told_apart_by_their_groups() -> None:
    found = listed(
        "group,name,address,type\nA,Voltage,40001,word\nB,Voltage,40002,word\nB,Voltage,40003,word"
    )
    assert [row.name for row in found.rows] == ["voltage", "b_voltage", "b_voltage_2"]
    assert found.rows[1].remark == "named b_voltage, since voltage is taken"


def test_a_name_in_letters_that_names_cannot_have_gives_way_to_the_address() -> None:
    (row,) = listed("name,address,type\nМасло,40001,word").rows
    assert (row.name, row.point["label"], row.state) == ("point_40001", "Масло", "changed")


def test_two_names_for_one_register_are_a_mistake_unless_meant() -> None:
    text = "name,address,type\na,40001,word\nb,40001,word\nc,40001,short"
    found = listed(text)
    assert [row.code for row in found.rows] == ["", "duplicate", ""]
    assert "reads the same address as row 2 (a): correct one of them" in found.rows[1].reason
    assert [row.name for row in listed(text, duplicates="keep").used] == ["a", "b", "c"]


def test_devices_have_names_and_labels_and_share_their_station() -> None:
    found = listed(
        "设备,名称,地址,类型,站号\n1号老虎,油温,40001,word,7\n1号老虎,测试,40002,word,7\npress-2,油温,40001,word,8"
    )
    assert found.blocks() == [
        {
            "name": "device",
            "label": "1号老虎",
            "address": {"unit": 7},
            "points": {
                "oil_temperature": {
                    "address": {"table": "holding", "offset": 0, "type": "uint16"}, "label": "油温",
                },
                "point_40002": {
                    "address": {"table": "holding", "offset": 1, "type": "uint16"}, "label": "测试",
                },
            },
        },
        {
            "name": "press-2",
            "address": {"unit": 8},
            "points": {
                "oil_temperature": {
                    "address": {"table": "holding", "offset": 0, "type": "uint16"}, "label": "油温",
                },
            },
        },
    ]  # fmt: skip
    assert found.unsaid == []
    mixed = listed("device,name,address,type,id\nd,a,40001,word,1\nd,b,40002,word,2").blocks()
    assert "address" not in mixed[0]
    assert [point["address"]["unit"] for point in mixed[0]["points"].values()] == [1, 2]
    assert listed("name,address,type\np,40001,word").unsaid == ["unit"]


BROWSED = """\
device,point,label,address,part,path,type,unit,access,value,quality
oven,temperature,Temperature,ns=2;s=Oven.Temperature,,Oven/Temperature,Double,Cel,read,181.5,good
oven,zone_1,Zones [1],nsu=http://maker/oven;i=17,[1],Oven/Zones,Int32,,read/write,3,good
oven,start,Start,ns=2;s=Oven.Start,,Oven/Start,Boolean,,write,,bad
"""


def test_what_browse_writes_is_read_for_opc_ua() -> None:
    found = listed(BROWSED, "opcua")
    assert [row.code for row in found.rows] == ["", "", "access"]
    assert found.devices["oven"]["zone_1"] == {
        "address": {"at": "nsu=http://maker/oven;i=17", "part": "[1]", "path": "Oven/Zones"},
        "label": "Zones [1]",
    }
    assert found.devices["oven"]["temperature"]["unit"] == "Cel"


def test_a_driver_without_a_dialect_has_a_column_for_each_key() -> None:
    (row,) = listed("point,address.middle,amplitude,period\np,3,2.5,10s", "simulated").rows
    assert row.code == "address"
    assert "period" in row.reason
    (row,) = listed("point,address.middle,amplitude,period\np,3,2.5,10", "simulated").rows
    assert row.point == {"address": {"middle": 3, "amplitude": 2.5, "period": 10}}


def test_what_opc_ua_does_not_take_is_said_in_its_own_words() -> None:
    (row,) = listed("name,address\np,Oven.Temperature", "opcua").rows
    assert row.code == "address"
    assert "Oven.Temperature" in row.reason


@pytest.mark.parametrize(
    ("text", "answers", "why"),
    [
        ("a,b\n1,2", {}, "has no row of headers"),
        ("name,address\np,40001", {"numbers": "sideways"}, "write one of book, book-0, wire"),
        ("name,address\np,40001", {"colour": "red"}, "there is no question colour"),
        ("name,address\np,D1", {"model": "acme"}, "there is no profile 'acme'"),
    ],
)
def test_what_cannot_be_read_at_all_says_why(text: str, answers: dict[str, str], why: str) -> None:
    with pytest.raises(ListUnreadable, match=why):
        listed(text, **answers)


def test_a_driver_that_is_not_installed_is_named() -> None:
    with pytest.raises(ListUnreadable, match="there is no driver 'profinet'"):
        listed("name,address\np,1", "profinet")


def test_the_document_tells_all_of_it_as_json() -> None:
    document = listed("name,address,type\np,4096,word\nq,DB1.DBW2,word").document()
    assert document["counts"] == {"open": 1, "address": 1}
    assert [question["id"] for question in document["questions"]] == ["numbers", "table"]
    assert set(document["questions"][0]["choices"]) == {"book", "book-0", "wire", "register", "hex"}
    assert document["rows"][1]["remark"].startswith("'DB1.DBW2' is a place in the program")


def test_of_several_sheets_one_is_chosen(tmp_path: Path) -> None:
    import xlsxwriter

    path = tmp_path / "lists.xlsx"
    book = xlsxwriter.Workbook(path)
    for name, address in (("Meter", "40001"), ("Drive", "40101")):
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, ["name", "address", "type"])
        sheet.write_row(1, 0, ["p", address, "word"])
    book.add_worksheet("Cover").write(0, 0, "hello")
    book.close()
    (question,) = read_list(path, "modbus").questions
    assert (question.id, [choice.word for choice in question.choices]) == (
        "sheet",
        ["Meter", "Drive"],
    )
    (row,) = read_list(path, "modbus", {"sheet": "Drive"}).rows
    assert row.point["address"]["offset"] == 100


def test_codes_that_may_be_one_number_in_groups_are_refused() -> None:
    (row,) = listed('name,address,no value\np,40001,"65,535"').rows
    assert (row.code, row.reason.partition(":")[0]) == (
        "value", "'65,535' may be a thousand, or have decimals",
    )  # fmt: skip


@pytest.mark.parametrize("row", ["停机,0x0040,05,BOOL,", "停机,0x0040,,BOOL,W"])
def test_a_row_that_is_refused_anyhow_asks_nothing(row: str) -> None:
    found = listed(f"名称,地址,功能码,类型,读写\n电压,0x0001,03,uint16,R\n{row}\n")
    assert [bool(one.code) for one in found.rows] == [False, True]
    assert found.questions == []
    asks = listed("名称,地址,功能码,类型\n电压,0x0001,03,uint16\n停机,0x0040,,BOOL\n")
    assert [one.id for one in asks.questions] == ["bits"]
