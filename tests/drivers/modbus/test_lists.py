"""Register lists of Modbus devices: every notation, and what is asked instead of guessed."""

from collections.abc import Sequence

import pytest
from edge_agent_modbus.list_address import Form, take_apart
from edge_agent_modbus.list_type import kind_of, order_of

from edge_agent.registers import RegisterList
from edge_agent.registers.dialect import Unclear
from tests.rigs.register_lists import listed


def places(found: RegisterList) -> list[str]:
    """Give each row as `table:offset`, or its code."""
    return [
        row.code or f"{row.point['address']['table']}:{row.point['address']['offset']}"
        for row in found.rows
    ]


def of_addresses(
    addresses: Sequence[str], header: str = "address,type", **answers: str
) -> RegisterList:
    kinds = {"address,type": ",uint16", "address": ""}.get(header, "")
    lines = [f"{header},name", *(f"{one}{kinds},p{n}" for n, one in enumerate(addresses))]
    return listed("\n".join(lines), **answers)


@pytest.mark.parametrize(
    ("address", "answers", "place"),
    [
        ("40001", {}, "holding:0"),
        ("400001", {}, "holding:0"),
        ("465536", {}, "holding:65535"),
        ("30108", {}, "input:107"),
        ("40101", {"numbers": "book-0"}, "holding:101"),
        ("40101", {"numbers": "wire", "table": "input"}, "input:40101"),
        ("4096", {"numbers": "wire", "table": "holding"}, "holding:4096"),
        ("4096", {"numbers": "register", "table": "input"}, "input:4095"),
        ("0x1000", {"table": "holding"}, "holding:4096"),
        ("1000H", {"table": "input"}, "input:4096"),
        ("00A0", {"table": "holding"}, "holding:160"),
        ("0x1000", {"table": "holding", "hex": "1"}, "holding:4095"),
        ("3x0001", {}, "input:0"),
        ("4x0101", {}, "holding:100"),
        ("4x0101", {"prefixed": "0"}, "holding:101"),
        ("4x5", {"prefixed": "1"}, "holding:4"),
        ("4x-5", {"prefixed": "1"}, "holding:4"),
        ("4:100", {"prefixed": "0"}, "holding:100"),
        ("4:100", {"prefixed": "1"}, "holding:99"),
        ("holding:107", {}, "holding:107"),
        ("input:0x6B", {}, "input:107"),
        ("1!300004", {}, "input:3"),
    ],
)
def test_every_notation_means_one_register(
    address: str, answers: dict[str, str], place: str
) -> None:
    found = of_addresses([address], **answers)
    assert (places(found), found.questions) == ([place], [])


@pytest.mark.parametrize(
    ("address", "questions"),
    [
        ("4096", ["numbers", "table"]),
        ("20001", ["numbers", "table"]),
        ("0x1000", ["table"]),
        ("4x5", ["prefixed"]),
        ("4:100", ["prefixed"]),
        ("D100", ["model"]),
    ],
)
def test_what_may_be_off_by_one_is_asked_and_never_guessed(
    address: str, questions: list[str]
) -> None:
    found = of_addresses([address])
    assert [question.id for question in found.questions] == questions
    assert places(found) == ["open"]


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["0", "1", "12000"], ["holding:0", "holding:1", "holding:12000"]),
        (["40000", "40001"], ["holding:0", "holding:1"]),
        (["4x0", "4x1"], ["holding:0", "holding:1"]),
        (["0010", "001A"], ["holding:16", "holding:26"]),
    ],
)
def test_the_list_itself_may_show_where_it_counts_from(
    addresses: list[str], expected: list[str]
) -> None:
    found = (
        of_addresses(addresses, table="holding")
        if "4" not in addresses[0]
        else of_addresses(addresses)
    )
    assert (places(found), found.questions) == (expected, [])
    assert any(question.why for question in found.taken)


@pytest.mark.parametrize(
    ("header", "offset"),
    [("address (hex)", 256), ("address (zero-based)", 100), ("地址(从1开始)", 99)],
)
def test_the_header_may_say_it(header: str, offset: int) -> None:
    found = listed(f"{header},name,功能码\n100,p,03")
    assert places(found) == [f"holding:{offset}"]


def test_numbers_of_a_column_that_contradicts_them_are_no_register_numbers() -> None:
    found = listed("address,name,function\n32080,p,03\n32090,q,03")
    assert [question.id for question in found.questions] == ["numbers"]
    found = listed("address,name,function\n32080,p,03\n32090,q,03", numbers="wire")
    assert places(found) == ["holding:32080", "holding:32090"]


def test_0x_beside_4x_may_be_a_coil() -> None:
    text = "address,name,type\n0x0001,run,bool\n4x0001,speed,int16"
    assert "0x" in [question.id for question in listed(text).questions]
    assert places(listed(text, **{"0x": "coil"})) == ["coil:0", "holding:0"]


@pytest.mark.parametrize(
    ("function", "table"),
    [
        ("03", "holding"), ("4", "input"), ("FC02", "discrete"), ("0x01", "coil"),
        ("03/06/16", "holding"),
        ("R:03 W:06", "holding"), ("4x", "holding"), ("3X", "input"),
        ("Holding Register", "holding"),
        ("保持寄存器", "holding"), ("输入寄存器", "input"), ("线圈", "coil"),
        ("离散输入", "discrete"),
        ("Input register", "input"), ("03H", "holding"),
    ],
)  # fmt: skip
def test_the_table_stands_in_a_column_of_its_own(function: str, table: str) -> None:
    assert places(listed(f"name,address,function\np,0,{function}")) == [f"{table}:0"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "address,name,function\n40001,p,04\n40002,q,\n40003,r,",
            "the address means the holding table, and the list",
        ),
        ("address,name,function\n5,p,06\n0,q,03", "function '06' only writes"),
        ("address,name\nDB1.DBW2,p", "Modbus knows nothing"),
        ("address,name\nDB10.DBX0.1,p", "Siemens S7"),
        ("address,name\nwhat?,p", "is no address that is known here"),
        ("address,name\n40001.16,p", "bits 0 to 15"),
        ("address,name,type\n40001,p,colour", "the type 'colour' is not known"),
        ("address,name,type\n40001,p,byte", "half a register"),
        ("address,name,type,寄存器数\n40001,p,float,1", "does not have 1 registers"),
        ("address,name,type\n10001,p,float", "single bits, not float32"),
        ("address,name,type,order\n40001,p,float,sideways", "the byte order 'sideways'"),
        ("address,name,type,order\n40001,p,uint16,BADC", "cannot be swapped"),
        ("address,name,type\n465537,p,uint16", "lies behind the last"),
        ("address,name,type\n400000,p,uint16\n400001,q,uint16", None),
        ("address,name,type\n465536,p,float", "reaches behind the last"),
        ("address,name,type\n40001,p,string", "needs `length`"),
        ("address,name,读写\n40001,p,只写", "only be written"),
        ("address,name,id\n40001,p,300", "unit"),
        ("address,name,id\n1!40001,p,2", "different stations"),
        ("address,name,width,bit\n40001,p,x,3", "no whole number"),
    ],
)
def test_what_is_wrong_with_a_row_is_said(text: str, reason: str | None) -> None:
    row = listed(text).rows[0]
    assert (reason or "") in row.reason
    assert bool(row.code) == bool(reason)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("short", "int16"), ("INT16", "int16"), ("word", "uint16"), ("UINT", "uint16"),
        ("int", "int16"),
        ("DINT", "int32"), ("dword", "uint32"), ("双字", "uint32"), ("字", "uint16"),
        ("long", "int32"),
        ("float", "float32"), ("REAL", "float32"), ("单精度", "float32"), ("浮点数", "float32"),
        ("32位浮点数", "float32"), ("Double", "float64"), ("双精度浮点", "float64"),
        ("16位无符号", "uint16"),
        ("有符号32位", "int32"), ("BOOL", "bool"), ("位", "bool"), ("U32", "uint32"),
        ("S16", "int16"),
        ("unsigned int (16 bit)".replace(" (16 bit)", ""), "uint16"), ("Float32 CDAB", "float32"),
        ("uint8h", "uint8h"), ("time_unix", "time_unix"),
    ],
)  # fmt: skip
def test_types_are_known_in_two_languages(written: str, kind: str) -> None:
    assert kind_of(written, None).name == kind


def test_the_number_of_registers_tells_what_int_means() -> None:
    assert [kind_of("int", n).name for n in (1, 2, 4)] == ["int16", "int32", "int64"]
    assert kind_of("无符号", 2).name == "uint32"
    with pytest.raises(Unclear, match="does not have 3 registers"):
        kind_of("int", 3)


@pytest.mark.parametrize(
    ("written", "order"),
    [
        ("CDAB", "CDAB"), ("3412", "CDAB"), ("3-4-1-2", "CDAB"), ("AB CD", "ABCD"),
        ("cd ab", "CDAB"),
        ("word swap", "CDAB"), ("byte swap", "BADC"), ("大端", "ABCD"), ("高字在前", "ABCD"),
        ("低字在前", "CDAB"), ("Big-endian", "ABCD"), ("little endian", "little"),
        ("小端", "little"),
        ("GHEFCDAB", "GHEFCDAB"), ("BA", "BA"), ("", ""), ("-", ""), ("Float (DCBA)", "DCBA"),
    ],
)  # fmt: skip
def test_byte_orders(written: str, order: str) -> None:
    assert order_of(written) == order


def test_orders_of_32_bits_are_meant_for_wider_values_too() -> None:
    found = listed("name,address,type,order\na,40001,float64,CDAB\nb,40011,int16,CDAB")
    assert [row.point["address"].get("order") for row in found.rows] == ["GHEFCDAB", None]


def test_little_endian_is_asked_for() -> None:
    text = "name,address,type,order\na,40001,float,little endian"
    assert [question.id for question in listed(text).questions] == ["little_endian"]
    (row,) = listed(text, little_endian="DCBA").rows
    assert row.point["address"]["order"] == "DCBA"


def test_the_order_that_a_list_does_not_name_can_be_answered() -> None:
    text = "name,address,type\na,40001,float"
    found = listed(text)
    assert [(question.id, question.default) for question in found.taken] == [
        ("numbers", "book"), ("order", "ABCD"),
    ]  # fmt: skip
    assert listed(text, order="CDAB").rows[0].point["address"]["order"] == "CDAB"


def test_two_registers_without_a_type_are_asked_for_and_one_is_told() -> None:
    text = "name,address,寄存器数\na,40001,2\nb,40003,1"
    found = listed(text)
    assert [question.id for question in found.questions] == ["wide"]
    assert found.rows[1].state == "changed"
    assert "taken as uint16" in found.rows[1].remark
    assert listed(text, wide="float32").rows[0].point["address"]["type"] == "float32"


@pytest.mark.parametrize(
    ("plugin", "orders"),
    [("modbus", ["ABCD", "BADC", "CDAB", "DCBA", "ABCD"]),
     ("inovance", ["CDAB", "DCBA", "ABCD", "BADC", "CDAB"])],
)  # fmt: skip
def test_the_letters_of_neuron_mean_what_its_plugin_means(plugin: str, orders: list[str]) -> None:
    lines = [
        f"p{n},1!40{n}001{mark},FLOAT" for n, mark in enumerate(["#LL", "#LB", "#BL", "#BB", ""])
    ]
    text = "\n".join(["name,address,type", *lines])
    assert [question.id for question in listed(text).questions] == ["neuron"]
    found = listed(text, neuron=plugin)
    assert [row.point["address"].get("order", "ABCD") for row in found.rows] == orders
    assert {row.point["address"]["unit"] for row in found.rows} == {1}


def test_neuron_has_bits_and_texts_behind_a_point() -> None:
    found = listed(
        "name,address,type\nb,1!400010.4,BIT\ns,2!400001.10H,STRING\nt,2!400101.20,STRING"
    )
    assert [dict(row.point["address"]) for row in found.rows] == [
        {"table": "holding", "offset": 9, "unit": 1, "bit": 4},
        {"table": "holding", "offset": 0, "unit": 2, "type": "string", "length": 10, "order": "AB"},
        {
            "table": "holding",
            "offset": 100,
            "unit": 2,
            "type": "string",
            "length": 20,
            "order": "BA",
        },
    ]


@pytest.mark.parametrize(
    ("model", "cell", "kind", "place"),
    [
        ("delta-dvp", "X17", "bool", "discrete:1039"),
        ("delta-dvp", "Y10", "", "coil:1288"),
        ("delta-dvp", "D100", "int16", "holding:4196"),
        ("delta-dvp", "D100.5", "bool", "holding:4196"),
        ("delta-dvp", "T3", "int16", "holding:1539"),
        ("delta-dvp", "T3", "bool", "coil:1539"),
        ("xinje-xc", "D8001", "int16", "holding:16385"),
        ("xinje-xc", "X1037", "bool", "coil:16927"),
        ("inovance-easy-h5u", "Y10", "bool", "coil:64520"),
        ("panasonic-fp", "R10A", "bool", "coil:2218"),
        ("siemens-s7-1200-mbserver", "I0.3", "bool", "discrete:3"),
        ("siemens-s7-1200-mbserver", "IW6", "int16", "input:3"),
        ("inovance-am-ac", "%MW3", "int16", "holding:3"),
    ],
)
def test_cells_of_controllers_lie_where_their_profile_says(
    model: str, cell: str, kind: str, place: str
) -> None:
    found = listed(f"name,address,type\np,{cell},{kind}", model=model)
    assert (places(found), found.questions) == ([place], [])


@pytest.mark.parametrize(
    ("cell", "kind", "reason"),
    [
        ("X18", "bool", "'X18' does not exist; there are X 0 to 377 (octal)"),
        ("D9999", "", "does not exist"),
        ("T3", "", "may be coil:1539, holding:1539"),
        ("Q5", "", "is none of the areas of this model"),
        ("D100", "bool", "may be holding:4196"),
    ],
)
def test_a_cell_that_does_not_exist_or_may_be_two_is_refused(
    cell: str, kind: str, reason: str
) -> None:
    (row,) = listed(f"name,address,type\np,{cell},{kind}", model="delta-dvp").rows
    assert row.code == "address"
    assert reason in row.reason


def test_a_span_of_registers_says_how_many_there_are() -> None:
    found = listed("name,address,type\na,40001-40002,float\nb,40003~40004,uint16")
    assert [row.code for row in found.rows] == ["", "type"]
    found = listed("name,address\na,40001-40002", wide="int32")
    assert found.rows[0].point["address"]["type"] == "int32"


def test_the_bit_and_the_station_have_columns_of_their_own() -> None:
    (row,) = listed("名称,地址,类型,位号,站号\n运行,40001,bool,3,7").rows
    assert row.point["address"] == {"table": "holding", "offset": 0, "unit": 7, "bit": 3}


def test_values_that_reach_into_each_other_are_told() -> None:
    found = listed("name,address,type\na,40001,float\nb,40002,float\nc,40005,bool\nd,40005,int16")
    assert [row.state for row in found.rows] == ["ok", "changed", "ok", "ok"]
    assert "shares registers with row 2" in found.rows[1].remark


def test_forms_are_taken_apart_before_anything_is_decided() -> None:
    assert take_apart("４ｘ０００１").form is Form.PREFIXED
    assert take_apart("0x0001").is_0x
    assert not take_apart("0x00FF").is_0x
    assert take_apart("40001.5").bit == 5
    assert take_apart("40001~40004").last == "40004"


def test_the_columns_of_the_driver_win_over_common_ones() -> None:
    (row,) = listed("name,address,number of registers,id\np,40001,1,7").rows
    assert row.point["address"]["unit"] == 7


@pytest.mark.parametrize(
    ("text", "asked", "kinds"),
    [
        # a neighbour in the very next register shows that an int is one register
        ("name,address,type\na,40001,int\nb,40002,int\nc,40003,float", None, "int16 int16 float32"),
        ("name,address,type\na,40001,int\nb,40003,int", "int", "open open"),
        ("name,address,type,寄存器数\na,40001,int,2\nb,40003,uint,1", None, "int32 uint16"),
        # what a length counts is shown by types of one size
        ("name,address,type,长度\na,40001,float,4\nb,40003,uint,2", None, "float32 uint16"),
        ("name,address,type,长度\na,40001,float,2\nb,40003,uint,2", None, "float32 uint32"),
        ("name,address,type,位数\na,40001,float,32\nb,40003,uint,16", None, "float32 uint16"),
        ("name,address,type,len\na,40001,int,2\nb,40003,int,2", "size", "open open"),
        ("name,address,type,quantity (bytes)\na,40001,int,2\nb,40003,int,4", None, "int16 int32"),
        ("name,address,type,length(bytes)\na,40001,int,2\nb,40003,int,4", None, "int16 int32"),
    ],
)  # fmt: skip
def test_the_size_of_a_value_is_never_guessed(text: str, asked: str | None, kinds: str) -> None:
    found = listed(text)
    assert [question.id for question in found.questions] == ([asked] if asked else [])
    shown = [row.code or row.point["address"]["type"] for row in found.rows]
    assert shown == kinds.split()


def test_answers_tell_the_size() -> None:
    text = "name,address,type,len\na,40001,int,2\nb,40003,int,2\ns,40011,string,8"
    assert [row.point["address"]["type"] for row in listed(text, size="registers").rows] == [
        "int32", "int32", "string",
    ]  # fmt: skip
    found = listed(text, size="bytes").rows
    assert [row.point["address"].get("length") for row in found] == [None, None, 8]
    assert (
        listed("name,address,type\na,40001,int", int="32").rows[0].point["address"]["type"]
        == "int32"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name,address,type,bit\na,40001,uint16,3", "with `bit` the type is bool, not uint16"),
        ("name,address,type\na,40001.0,uint16", "with `bit` the type is bool"),
        ("name,address,type,bit\na,00001,bool,3", "is one bit and has no bit"),
        ("name,address,type,width\na,40001,uint16,4", "`width` needs `bit`"),
        ("name,address,type,charset\na,40001,uint16,gbk", "has no charset"),
    ],
)
def test_columns_that_contradict_each_other_are_not_ignored(text: str, reason: str) -> None:
    (row,) = listed(text).rows
    assert reason in row.reason
