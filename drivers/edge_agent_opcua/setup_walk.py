"""What the wizard sees of a server's tree at one place, or below it; gives plain JSON.

asyncua is imported only while somebody looks.
"""

import asyncio
from typing import TYPE_CHECKING

from edge_agent.command import exact, printable, shown
from edge_agent.commissioning import Values
from edge_agent.driver import ConnectionLost
from edge_agent_opcua.config import OpcUaSettings

if TYPE_CHECKING:
    from edge_agent_opcua.browse import Browser, Found, Wish

MOST_ROWS = 400
"""Lines of one view: nobody looks through more, a search finds what is behind them."""
LONGEST_WALK = 20.0
"""Seconds after which a walk is cut short and says so."""
MOST_ELEMENTS = 16
"""Of one array."""
DEEPEST = 10
LONELY = 5
"""Folders that are the only thing in theirs are gone through without asking, so many at most."""


def browse(settings: Values, start: str, contains: str, *, flat: bool) -> Values:
    """Show what hangs at one place, or below it.

    Args:
        settings: How to reach the server.
        start: Browse path to begin at; empty for the Objects folder.
        contains: Only values with this in their path; looks everywhere below.
        flat: Whether values further down are shown, too.

    Returns:
        `start`: where it really began, since folders that are alone are gone through; `rows`: what
        is there, folders with `name` and `path`, values also with `address`, `part`, `type`,
        `unit`, `value` and `ok`; `cut`: whether there is more; or `problem`.
    """
    made = OpcUaSettings.model_validate(settings)
    try:
        return asyncio.run(_browse(made, start, contains, deep=flat or bool(contains)))
    except (ConnectionLost, LookupError) as error:
        return {"problem": str(error)}


async def _browse(settings: OpcUaSettings, start: str, contains: str, *, deep: bool) -> Values:
    from edge_agent_opcua.browse import Wish, browsing  # noqa: PLC0415 - asyncua costs 25 MB

    depth = DEEPEST if deep else 1
    async with browsing(settings) as browser:
        rows, cut = await _rows(browser, Wish(start, contains, depth, MOST_ROWS))
        for _step in range(LONELY):
            if deep or len(rows) != 1 or rows[0]["kind"] != "folder":
                break
            start = rows[0]["path"]
            rows, cut = await _rows(browser, Wish(start, contains, depth, MOST_ROWS))
    return {"problem": "", "start": start, "rows": rows, "cut": cut}


async def _rows(browser: "Browser", wish: "Wish") -> tuple[list[Values], bool]:
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_WALK
    rows: list[Values] = []
    async for found in browser.walk(wish):
        rows += _rows_of(found, folders=wish.depth == 1)
        if len(rows) >= MOST_ROWS or loop.time() > until:
            return rows[:MOST_ROWS], True
    return rows, browser.is_cut


def _rows_of(found: "Found", *, folders: bool) -> list[Values]:
    """Give a line for each single value of a node, and one for what is below it."""
    from edge_agent_opcua.choice import Namer, rows  # noqa: PLC0415 - it imports asyncua

    below = {"kind": "folder", "name": printable(found.name), "path": found.path}
    has_more = folders and (found.is_cut or found.is_repeated)
    values = [_value(row) for row in rows(found, Namer(), MOST_ELEMENTS)]
    return [*values, below] if has_more else values


def _value(row: Values) -> Values:
    value = row["value"]
    return {
        "kind": "value",
        "name": printable(row["label"]),
        "value": "--" if value == "" else shown(exact(value)),
        "ok": row["quality"] != "bad" and row["access"] not in {"write", "none"},
        **{key: row[key] for key in ("address", "part", "path", "unit", "type")},
    }
