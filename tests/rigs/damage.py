"""What can happen to the files of a buffer's folder while no agent runs: one function each."""

import os
import random
import sqlite3
from pathlib import Path


def fold(folder: Path) -> Path:
    """Fold the WAL into the database, so that damage to the database counts."""
    db = sqlite3.connect(folder / "buffer.db")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return folder / "buffer.db"


def overwrite(path: Path, place: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(content)


def page_overwritten(folder: Path) -> None:
    path = fold(folder)
    overwrite(path, path.stat().st_size // 2048 * 1024, random.Random(1).randbytes(1024))


def table_of_contents_overwritten(folder: Path) -> None:
    overwrite(fold(folder), 1024, random.Random(1).randbytes(4096))


def header_is_garbage(folder: Path) -> None:
    overwrite(fold(folder), 0, b"garbage!" * 16)


def database_empty(folder: Path) -> None:
    fold(folder).write_bytes(b"")


def database_empty_beside_its_wal(folder: Path) -> None:
    (folder / "buffer.db").write_bytes(b"")


def database_cut_in_the_middle_of_a_page(folder: Path) -> None:
    path = fold(folder)
    os.truncate(path, path.stat().st_size // 2048 * 1024 + 100)


def database_missing(folder: Path) -> None:
    fold(folder).unlink()


def wal_missing(folder: Path) -> None:
    (folder / "buffer.db-wal").unlink()


def wal_cut_in_half(folder: Path) -> None:
    path = folder / "buffer.db-wal"
    os.truncate(path, path.stat().st_size // 2)


def wal_header_zeroed(folder: Path) -> None:
    overwrite(folder / "buffer.db-wal", 0, bytes(32))


def wal_flipped(folder: Path) -> None:
    path = folder / "buffer.db-wal"
    overwrite(path, path.stat().st_size // 4, b"\xff" * 16)


def old_schema(folder: Path) -> None:
    db = sqlite3.connect(folder / "buffer.db")
    with db:
        db.execute("UPDATE note SET value=0 WHERE name='schema'")
    db.close()


def another_programs_tables(folder: Path) -> None:
    path = fold(folder)
    path.unlink()
    db = sqlite3.connect(path)
    with db:
        db.execute("CREATE TABLE segment(name TEXT)")
    db.close()


def numbers_a_is_garbage(folder: Path) -> None:
    (folder / "numbers.a").write_bytes(os.urandom(512))


def numbers_b_is_empty(folder: Path) -> None:
    (folder / "numbers.b").write_bytes(b"")


def both_numbers_are_garbage(folder: Path) -> None:
    for name in ("numbers.a", "numbers.b"):
        (folder / name).write_bytes(b"\0" * 512)


def both_numbers_are_missing(folder: Path) -> None:
    for name in ("numbers.a", "numbers.b"):
        (folder / name).unlink()


def database_and_numbers_missing(folder: Path) -> None:
    both_numbers_are_missing(folder)
    database_missing(folder)


def notebook_is_garbage(folder: Path) -> None:
    (folder / "notebook.json").write_bytes(b"\xff{garbage")
