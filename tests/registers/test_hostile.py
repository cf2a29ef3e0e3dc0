"""Whatever stands in a list, every row gets a fate, and nothing else is raised."""

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.config.shape import PointShape
from edge_agent.registers import ListUnreadable
from tests.rigs.register_lists import listed

COLUMNS = [
    "device", "point", "name", "address", "type", "function", "order", "count", "长度", "length",
    "bit",
    "width", "站号", "scale", "divisor", "decimals", "gain", "unit", "every", "deadband",
    "no value",
    "low", "high", "access", "address.exponent", "address.unit",
]  # fmt: skip
PIECES = [
    "40001", "400001", "4x1", "0x10", "1!40001#BL", "D100", "DB1.DBW2", "1/0", "1e400", "-0", "0.1",
    "nan",
    "[1", "{}", "null", "2%", "int", "float CDAB", "string", "双字", "03", "holding:7",
    "holding:99999",
    "99999999999999999999", "٣", "²", "½", "١/٢", "=1+1", "1ms", "a\nb", "0" * 400, "#", ".", "!",
    "1!", "-1",
    "40001-2", "x.16", "bool", "999", "\\", "0x", "1e5", "１２", "[[1]]", '{"a": 1}', "1_0",
    "infinity",
]  # fmt: skip
cells = st.one_of(st.sampled_from(PIECES), st.text(max_size=6), st.just(""))


GOOD = {"name": "p", "address": "holding:7", "type": "uint16"}
rows_ = st.dictionaries(st.sampled_from(COLUMNS), cells, max_size=3).map(lambda bad: GOOD | bad)


@settings(max_examples=60, deadline=None)
@given(st.lists(rows_, min_size=1, max_size=4))
def test_every_row_gets_a_fate(rows: list[dict[str, str]]) -> None:
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    try:
        found = listed(file.getvalue())
    except ListUnreadable:
        return
    for row in found.rows:
        if row.point:
            PointShape.model_validate(row.point)
        assert bool(row.point) != bool(row.code)
        assert bool(row.reason) == bool(row.code)
        assert found.summary()
