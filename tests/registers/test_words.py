"""Headers, units, factors, intervals and names, as lists write them."""

import pytest

from edge_agent.registers import headers
from edge_agent.registers.naming import is_name, slug
from edge_agent.registers.numbers import to_factor, to_number, to_seconds
from edge_agent.registers.table import Row
from edge_agent.registers.units import to_ucum


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("Register Address (hex)", "address"), ("寄存器地址", "address"),
        ("地址\n(十六进制)", "address"),
        ("名称/Name", "label"), ("参数 Parameter", "label"), ("点位", "point"),
        ("Tag_Name", "point"),
        ("数据类型", "type"), ("单位", "unit"), ("倍率", "scale"), ("Scale Factor", "scale"),
        ("采集周期(ms)", "every"), ("周期/ms", "every"), ("Ｎａｍｅ", "label"), ("读写", "access"),
        ("Remark", "remark"), ("whatever", ""), ("", ""),
    ],
)  # fmt: skip
def test_headers_are_known_in_two_languages(header: str, column: str) -> None:
    assert headers.meaning(header, headers.lookup({})) == column


@pytest.mark.parametrize(("header", "hint"), [("周期(ms)", "ms"), ("周期/秒", "秒"), ("周期", "")])
def test_what_stands_beside_a_header_is_kept(header: str, hint: str) -> None:
    assert headers.hint(header) == hint


def test_the_first_row_that_names_an_address_is_the_header() -> None:
    rows = [Row(1, ("Meter X1",)), Row(2, ("Address",)), Row(3, ("No", "Name", "Address", "Extra"))]
    found = headers.find(rows, {})
    assert found is not None
    assert (found.row, found.places, found.unknown) == (
        3, {"row": 0, "label": 1, "address": 2}, ["Extra"],
    )  # fmt: skip
    assert headers.find([Row(1, ("Name", "Value"))], {}) is None


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("°C", "Cel"), ("℃", "Cel"), ("kWh", "kW.h"), ("KW", "kW"), ("度(kWh)", "kW.h"),
        ("m³/h", "m3/h"), ("r/min", "/min"), ("转/分", "/min"), ("Ω", "Ohm"), ("%RH", "%"),
        ("MPa", "MPa"), ("兆帕", "MPa"), ("kvarh", "kvar.h"), ("VA", "V.A"), ("Nm", "N.m"),
        ("mA", "mA"), ("MW", "MW"), ("mW", "mW"), ("C", "Cel"), ("", ""), ("-", ""), ("无", ""),
    ],
)  # fmt: skip
def test_units_become_ucum(written: str, code: str) -> None:
    assert to_ucum(written) == (code, True)


@pytest.mark.parametrize("code", ["Cel", "kW.h", "1/min", "m3/h", "mm[Hg]", "[degF]", "V.A", "%"])
def test_a_ucum_code_stays_what_it_is(code: str) -> None:
    assert to_ucum(code) == (code, True)


@pytest.mark.parametrize("written", ["度", "mw", "foo", "mpa", "袋"])
def test_a_unit_that_may_mean_several_things_is_kept_and_told(written: str) -> None:
    assert to_ucum(written) == (written, False)


@pytest.mark.parametrize(
    ("text", "factor", "rest"),
    [
        ("0.1", 0.1, ""), ("0,1", 0.1, ""), ("1/10", 0.1, ""), ("1：10", 0.1, ""), ("/10", 0.1, ""),
        ("÷10", 0.1, ""), ("×10", 10, ""), ("*10", 10, ""), ("x 0.1", 0.1, ""), ("10^-2", 0.01, ""),
        ("1E-1", 0.1, ""), ("0.1 °C", 0.1, "°C"), ("0.01V", 0.01, "V"), ("600/5", 120, ""),
        ("-1", -1, ""), ("0.30000000000000004", 0.30000000000000004, ""),
    ],
)  # fmt: skip
def test_factors_are_read_exactly(text: str, factor: float, rest: str) -> None:
    assert to_factor(text) == (factor, rest)


def test_a_divisor_divides_unless_it_says_so_itself() -> None:
    assert [to_factor(one, divides=True)[0] for one in ("10", "1/10", "5/10", "×10")] == [
        0.1, 0.1, 0.5, 10,
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["0", "abc", "1/0", "2026-01-10", "01:10:00"])
def test_what_is_no_factor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no factor"):
        to_factor(text)


def test_a_factor_that_a_spreadsheet_made_a_date_of_is_named() -> None:
    with pytest.raises(ValueError, match="made a date of it"):
        to_factor("2026-01-10")


@pytest.mark.parametrize(
    ("text", "unit", "seconds"),
    [("500ms", "", 0.5), ("5 s", "", 5), ("1分钟", "", 60), ("1000", "ms", 1), ("2", "秒", 2),
     ("1000", "", None)],
)  # fmt: skip
def test_intervals(text: str, unit: str, seconds: float | None) -> None:
    assert to_seconds(text, unit) == seconds


@pytest.mark.parametrize("text", ["1,000", "/1,000", "1/1,000", "10,000", "-1,234.5", "1,234,567"])
def test_what_may_be_a_thousand_or_have_decimals_is_refused(text: str) -> None:
    for reads in (to_number, to_factor, lambda written: to_seconds(written, "ms")):
        with pytest.raises(ValueError, match="may be a thousand, or have decimals"):
            reads(text)


@pytest.mark.parametrize(("text", "number"), [("0,001", 0.001), ("12,5", 12.5), ("1,0000", 1)])
def test_a_comma_before_decimals_is_read(text: str, number: float) -> None:
    assert to_number(text) == number


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Oil temperature [2]", "oil_temperature_2"), ("OilTemperature", "oil_temperature"),
        ("Température d'huile", "temperature_d_huile"), ("A相电压", "a_phase_voltage"),
        ("总有功电能", "total_active_energy"), ("1号泵", "1_pump"), ("测试项目", ""), ("Масло", ""),
        ("", ""), ("!!", ""),
    ],
)  # fmt: skip
def test_names_are_made_of_what_people_write(text: str, name: str) -> None:
    assert slug(text) == name
    assert not name or is_name(name)
