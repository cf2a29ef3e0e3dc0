"""The buffer: usable, sound, and large enough?"""

import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from edge_agent.disk import DATABASE
from edge_agent.doctor.disk import megabytes, nearest
from edge_agent.doctor.finding import Finding, Findings, Unseen, fail, fine, warn
from edge_agent.doctor.gateway import Gateway
from edge_agent.doctor.processes import holders

SUBJECT = "buffer"
LARGEST_COPY = 64 << 20  # bytes; the copy may lie in memory
SHORT = 24.0  # hours; a weekend without a network is a usual thing


def check(gateway: Gateway) -> Findings:
    """Look at the buffer: through the agent that runs, else at a copy of its files."""
    if gateway.status is not None:
        yield from judge(gateway.status)
    else:
        yield _at_rest(gateway)
    yield from _room(gateway)
    yield from _set_aside(gateway.buffer)


def judge(status: dict[str, Any]) -> Findings:
    """Say what the running agent says of its buffer."""
    buffer = status["buffer"]
    if status["agent"]["state"] != "polling":
        what = f"it is being opened, and nothing is read before: {buffer['why']}"
        yield warn(SUBJECT, what, "mend the disk, or wait: edge-agent status", "D-BUFFER-OPENING")
        return
    waiting = f"{buffer['readings']} readings wait, {megabytes(buffer['bytes'])} in use"
    hours = buffer["hours_until_full"]
    if buffer["why"]:
        what = f"the disk refuses it, readings stay in memory: {buffer['why']}"
        yield fail(SUBJECT, what, "mend the disk, see above", "D-BUFFER-REFUSED")
    elif hours is not None and hours < SHORT:
        what = f"{waiting}; without a broker it is full in {hours:.1f} hours"
        yield warn(SUBJECT, what, "raise buffer.max_bytes, or read less often", "D-BUFFER-SHORT")
    else:
        full = "" if hours is None else f"; without a broker full in {hours:.0f} hours"
        yield fine(SUBJECT, waiting + full)
    if lost := status["agent"]["not_kept"]:
        what = f"{lost} readings were not kept, since neither disk nor memory took them"
        yield warn(SUBJECT, what, "make room on the disk", "D-BUFFER-NOT-KEPT")


def _room(gateway: Gateway) -> Findings:
    """Say whether the disk has the room that the buffer may take."""
    if gateway.config is None:
        return
    limit = gateway.config.buffer.max_bytes
    used = (gateway.status or {}).get("buffer", {}).get("bytes") or 0
    _, room = nearest(gateway.buffer)
    free = room.f_bavail * room.f_frsize
    if limit - used > free:
        what = (
            f"it may take {megabytes(limit)}, and only {megabytes(free)} are free: the disk would "
            "be full first, for everybody"
        )
        yield warn(SUBJECT, what, "lower buffer.max_bytes, or make room", "D-BUFFER-ROOM")


def _set_aside(folder: Path) -> Findings:
    try:
        copies = [one for one in folder.iterdir() if ".corrupt-" in one.name]
        size = sum(one.stat().st_size for one in copies)
    except OSError:
        return
    if copies:
        what = f"{len(copies)} damaged files of earlier times are kept, {megabytes(size)}"
        action = f"see them, then: sudo rm {folder}/*.corrupt-*"
        yield warn(SUBJECT, what, action, "D-BUFFER-ASIDE")


# --- without a running agent ---------------------------------------------------------------------


def _at_rest(gateway: Gateway) -> Finding | Unseen:
    database = gateway.buffer / DATABASE
    try:
        size = database.stat().st_size
    except FileNotFoundError:
        return fine(SUBJECT, f"there is none yet in {gateway.buffer}")
    except OSError:
        return Unseen(SUBJECT, f"this user may not look into {gateway.buffer}")
    held, all_seen = holders(gateway.root, {str(database.resolve())})
    if held or not all_seen:
        return Unseen(SUBJECT, "a program that does not answer may have it open")
    if size > LARGEST_COPY:
        return Unseen(SUBJECT, f"{megabytes(size)}; the agent checks it when it starts")
    try:
        return _examined(database)
    except OSError as error:
        return Unseen(SUBJECT, f"it cannot be copied: {error}")


def _examined(database: Path) -> Finding:
    """Check a copy: SQLite would change the original, or leave files of ours beside it."""
    with tempfile.TemporaryDirectory(prefix="edge-agent-") as folder:
        for name in (database.name, f"{database.name}-wal"):
            if (file := database.with_name(name)).exists():
                shutil.copyfile(file, Path(folder) / name)
        trouble = _trouble(Path(folder) / database.name)
    if trouble:
        what = f"{database} is damaged ({trouble}); what can be read is saved at the next start"
        action = "start the agent, which names what is lost; then look at the card"
        return fail(SUBJECT, what, action, "D-BUFFER-DAMAGED")
    return fine(SUBJECT, f"{database} is sound")


def _trouble(database: Path) -> str:
    connection = sqlite3.connect(database)
    try:
        [(said,)] = connection.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.Error as error:
        return str(error)
    finally:
        connection.close()
    return "" if said == "ok" else str(said)
