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
from edge_agent.language import _, later, retell

SUBJECT = later("buffer")
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
        what = _("it is being opened, and nothing is read before: {why}").format(
            why=retell(buffer["why"])
        )
        yield warn(
            SUBJECT, what, _("mend the disk, or wait: edge-agent status"), "D-BUFFER-OPENING"
        )
        return
    waiting = _("{readings} readings wait, {bytes} in use").format(
        readings=buffer["readings"], bytes=megabytes(buffer["bytes"])
    )
    hours = buffer["hours_until_full"]
    if buffer["why"]:
        what = _("the disk refuses it, readings stay in memory: {why}").format(
            why=retell(buffer["why"])
        )
        yield fail(SUBJECT, what, _("mend the disk, see above"), "D-BUFFER-REFUSED")
    elif hours is not None and hours < SHORT:
        what = _("{waiting}; without a broker it is full in {hours:.1f} hours").format(
            waiting=waiting, hours=hours
        )
        yield warn(SUBJECT, what, _("raise buffer.max_bytes, or read less often"), "D-BUFFER-SHORT")
    elif hours is None:
        yield fine(SUBJECT, waiting)
    else:
        what = _("{waiting}; without a broker full in {hours:.0f} hours").format(
            waiting=waiting, hours=hours
        )
        yield fine(SUBJECT, what)
    if lost := status["agent"]["not_kept"]:
        what = _("{lost} readings were not kept, since neither disk nor memory took them").format(
            lost=lost
        )
        yield warn(SUBJECT, what, _("make room on the disk"), "D-BUFFER-NOT-KEPT")


def _room(gateway: Gateway) -> Findings:
    """Say whether the disk has the room that the buffer may take."""
    if gateway.config is None:
        return
    limit = gateway.config.buffer.max_bytes
    used = (gateway.status or {}).get("buffer", {}).get("bytes") or 0
    _folder, room = nearest(gateway.buffer)
    free = room.f_bavail * room.f_frsize
    if limit - used > free:
        what = _(
            "it may take {limit}, and only {free} are free: the disk would be full "
            "first, for everybody"
        ).format(limit=megabytes(limit), free=megabytes(free))
        yield warn(SUBJECT, what, _("lower buffer.max_bytes, or make room"), "D-BUFFER-ROOM")


def _set_aside(folder: Path) -> Findings:
    try:
        copies = [one for one in folder.iterdir() if ".corrupt-" in one.name]
        size = sum(one.stat().st_size for one in copies)
    except OSError:
        return
    if copies:
        what = _("{copies} damaged files of earlier times are kept, {size}").format(
            copies=len(copies), size=megabytes(size)
        )
        action = _("see them, then: sudo rm {folder}/*.corrupt-*").format(folder=folder)
        yield warn(SUBJECT, what, action, "D-BUFFER-ASIDE")


# --- without a running agent ---------------------------------------------------------------------


def _at_rest(gateway: Gateway) -> Finding | Unseen:
    database = gateway.buffer / DATABASE
    try:
        size = database.stat().st_size
    except FileNotFoundError:
        return fine(SUBJECT, _("there is none yet in {buffer}").format(buffer=gateway.buffer))
    except OSError:
        return Unseen(
            SUBJECT, _("this user may not look into {buffer}").format(buffer=gateway.buffer)
        )
    held, all_seen = holders(gateway.root, {str(database.resolve())})
    if held or not all_seen:
        return Unseen(SUBJECT, _("a program that does not answer may have it open"))
    if size > LARGEST_COPY:
        return Unseen(
            SUBJECT, _("{size}; the agent checks it when it starts").format(size=megabytes(size))
        )
    try:
        return _examined(database)
    except OSError as error:
        return Unseen(SUBJECT, _("it cannot be copied: {error}").format(error=error))


def _examined(database: Path) -> Finding:
    """Check a copy: SQLite would change the original, or leave files of ours beside it."""
    with tempfile.TemporaryDirectory(prefix="edge-agent-") as folder:
        for name in (database.name, f"{database.name}-wal"):
            if (file := database.with_name(name)).exists():
                shutil.copyfile(file, Path(folder) / name)
        trouble = _trouble(Path(folder) / database.name)
    if trouble:
        what = _(
            "{database} is damaged ({trouble}); what can be read is saved at the next start"
        ).format(database=database, trouble=trouble)
        action = _("start the agent, which names what is lost; then look at the card")
        return fail(SUBJECT, what, action, "D-BUFFER-DAMAGED")
    return fine(SUBJECT, _("{database} is sound").format(database=database))


def _trouble(database: Path) -> str:
    connection = sqlite3.connect(database)
    try:
        [(said,)] = connection.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.Error as error:
        return str(error)
    finally:
        connection.close()
    return "" if said == "ok" else str(said)
