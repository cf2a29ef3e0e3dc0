"""Files become rows of texts with the numbers that people see beside them."""

import datetime
import sys
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.registers.export import as_csv
from edge_agent.registers.table import ListUnreadable, harmless, read_csv, read_sheets

LIST = "电表\n\n名称,地址,单位\nA相电压,40001,V\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_offices_save_lists_in_many_ways(encoding: str, separator: str) -> None:
    rows = read_csv(LIST.replace(",", separator).encode(encoding), "list.csv")
    assert rows[2] == (3, ("名称", "地址", "单位"))
    assert rows[3] == (4, ("A相电压", "40001", "V"))
    assert [row.is_empty for row in rows] == [False, True, False, False]


def test_the_line_that_tells_excel_the_separator_is_no_row_but_counts() -> None:
    rows = read_csv(b"sep=;\r\nname;address\r\na,b;40001\r\n", "list.csv")
    assert rows == [(2, ("name", "address")), (3, ("a,b", "40001"))]


def test_a_cell_may_have_lines_and_separators_of_its_own() -> None:
    rows = read_csv(b'name,address\n"a,\nb",1\nc,2\n', "list.csv")
    assert [row.number for row in rows] == [1, 2, 3]
    assert rows[1].cells == ("a,\nb", "1")


def test_commas_in_numbers_do_not_make_columns() -> None:
    text = "name;address;scale\n" + "".join(f"p{n};{40001 + n};0,1\n" for n in range(9))
    assert read_csv(text.encode(), "list.csv")[1].cells == ("p0", "40001", "0,1")


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"\x00\x01\x02\xff", "is no text"), (b"a,b\n" + b"x" * 200_000, "is damaged after row 2")],
)
def test_what_is_no_list_is_refused_with_a_reason(data: bytes, why: str) -> None:
    with pytest.raises(ListUnreadable, match=why):
        read_csv(data, "list.csv")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ListUnreadable, match=r"none\.csv; check its name"):
        read_sheets(tmp_path / "none.csv")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "list.xlsx"
    book = xlsxwriter.Workbook(path)
    notes = book.add_worksheet("notes")
    notes.hide()
    notes.write(0, 0, "hidden")
    sheet = book.add_worksheet("寄存器")
    sheet.activate()
    sheet.write_row(1, 1, ["设备", "名称", "地址", "倍率", "日期"])
    sheet.merge_range(2, 1, 3, 1, "oven")
    sheet.write_row(2, 2, ["温度", 40001, 0.1])
    sheet.write_datetime(2, 5, datetime.date(2026, 1, 10))
    sheet.write_row(3, 2, ["压力", "0x1000", 1 / 3])
    sheet.write_boolean(3, 5, True)
    book.add_worksheet("empty")
    book.close()
    return path


def test_spreadsheets_keep_their_row_numbers_and_what_people_see(book: Path) -> None:
    (sheet,) = read_sheets(book)
    assert sheet.name == "寄存器"
    rows = {row.number: row.cells for row in sheet.rows if not row.is_empty}
    assert rows[2] == ("", "设备", "名称", "地址", "倍率", "日期")
    assert rows[3][:5] == ("", "oven", "温度", "40001", "0.1")
    assert rows[4] == ("", "oven", "压力", "0x1000", "0.333333333333333", "true")


def test_a_damaged_spreadsheet_says_what_to_do(book: Path) -> None:
    book.write_bytes(book.read_bytes()[:500])
    with pytest.raises(ListUnreadable, match="Save it anew, or as CSV"):
        read_sheets(book)


def test_without_the_package_csv_still_works(book: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(ListUnreadable, match="save the list as CSV, or pip install"):
        read_sheets(book)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("+cmd|'/C calc'!A0", "'+cmd|'/C calc'!A0"),
        ("@SUM(1)", "'@SUM(1)"),
        ("-2+3", "'-2+3"),
        ("\t=1", "'\t=1"),
        ("'=1", "''=1"),
        ("-40.5", "-40.5"),
        ("+5", "+5"),
        ("'a", "'a"),
    ],
)
def test_no_cell_is_a_formula_in_a_spreadsheet(text: str, written: str) -> None:
    assert harmless(text) == written


@given(st.text("=+-@'\t\r\n1.,a;\"").map(str.strip))
def test_what_was_made_harmless_reads_as_it_was(text: str) -> None:
    (_head, row) = read_csv(as_csv([{"unit": text, "point": "p"}], ["unit"]).encode(), "list.csv")
    assert row.cells == ("p", text)


@pytest.mark.parametrize("column", [0, 25, 16383])
def test_a_cell_far_away_takes_no_memory(tmp_path: Path, column: int) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "list.xlsx"))
    sheet = book.add_worksheet()
    sheet.write(0, 0, "name")
    sheet.write(2**20 - 1, column, "x")
    book.close()
    with pytest.raises(ListUnreadable, match="has more than 50000 rows"):
        read_sheets(tmp_path / "list.xlsx")
