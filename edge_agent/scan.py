"""Reads a table as far as its pages can be read: around damage, not only up to it. Blocks on disk.

A query here gives rows of one table, ordered by the integer key that is its first column, from the
key on that is its parameter: `SELECT id, head FROM segment WHERE id>=? ORDER BY id`.
"""

import sqlite3
from contextlib import suppress
from typing import Any

from edge_agent.damage import ERRORS, is_damage

MOST = (1 << 63) - 1  # what a key can be; ours count from 1
MOST_GAPS = 1000  # a start must not take minutes on a file that is shredded all over

Columns = tuple[Any, ...]


def readable(sql: sqlite3.Connection, query: str) -> list[Columns | None]:
    """Give what can be read, in order; None stands where something cannot."""
    found: list[Columns | None] = []
    start: int | None = 0
    for _ in range(MOST_GAPS):
        if start is None:
            break
        rows, is_whole = _until_damage(sql, query, start)
        found.extend(rows)
        if is_whole:
            break
        found.append(None)
        # a damaged page may give any key: never go back, that would have no end
        start = _behind_damage(sql, query, max([start, *(row[0] for row in rows)]))
    return found


def _until_damage(sql: sqlite3.Connection, query: str, start: int) -> tuple[list[Columns], bool]:
    found: list[Columns] = []
    try:
        found.extend(sql.execute(query, (start,)))
    except ERRORS as error:
        _expect(error)
        # The cursor steps ahead: the last row before the damage was read, but not handed out.
        with suppress(*ERRORS):
            one_more = f"{query} LIMIT {len(found) + 1}"
            return sql.execute(one_more, (start,)).fetchall(), False
        return found, False
    return found, True


def _behind_damage(sql: sqlite3.Connection, query: str, last: int) -> int | None:
    """Give the first key behind `last` from which reading goes on; None if there is none.

    Steps are doubled until one lies behind the damage, and then halved. What is readable between
    two damaged stretches is missed only if it is shorter than the first of them.
    """
    bad, step = last, 1
    while (good := last + step) <= MOST:
        if _can_seek(sql, query, good):
            return _first_good(sql, query, bad, good)
        bad, step = good, step * 2
    return None


def _first_good(sql: sqlite3.Connection, query: str, bad: int, good: int) -> int:
    while good - bad > 1:
        middle = (bad + good) // 2
        if _can_seek(sql, query, middle):
            good = middle
        else:
            bad = middle
    return good


def _can_seek(sql: sqlite3.Connection, query: str, key: int) -> bool:
    try:
        sql.execute(f"{query} LIMIT 1", (key,)).fetchall()
    except ERRORS as error:
        _expect(error)
        return False
    return True


def _expect(error: Exception) -> None:
    if not is_damage(error):
        raise error
