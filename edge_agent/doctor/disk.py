"""The disk behind the buffer: room, rights, kind, and how far a card is worn."""

import os
from pathlib import Path
from typing import NamedTuple

from edge_agent.doctor.finding import Finding, Findings, Unseen, fail, fine, warn
from edge_agent.doctor.gateway import Gateway
from edge_agent.fstab import Entry, absent
from edge_agent.language import _, later
from edge_agent.mounts import Mount, mount_of

SUBJECT = later("disk")
FULL = 50 << 20  # bytes, with which the buffer, logs and an upgrade come to a stand
SCARCE = 500 << 20
# A power cut can damage these as a whole, or their locks do not hold between two programs.
UNSAFE = frozenset({"vfat", "exfat", "ntfs", "ntfs3", "fuseblk", "nfs", "nfs4", "cifs", "9p"})
# Source: JEDEC JESD84-B51, 7.4.40 and 7.4.41: steps of 10 % of the life that is used, 0x0B: all of
# it; 7.4.39: of the spare blocks 80 % used, or nearly all.
USED_UP, NEARLY_USED_UP = 0x0B, 0x09
SPARE_URGENT, SPARE_WARNING = 3, 2
REPLACE = later("replace the card: edge-agent buffer export carries what waits to a new one")


class Card(NamedTuple):
    """What an eMMC or SD card says of itself: steps of life used, and the state of its spares."""

    name: str
    used: int
    spare: int


class Facts(NamedTuple):
    """The file system on which a folder is, and the cards of this gateway.

    Attributes:
        absent: The disk on which it should be, where that is not mounted.
    """

    folder: Path
    mount: Mount | None
    free: int
    total: int
    written_per_day: int | None
    cards: tuple[Card, ...]
    absent: Entry | None = None


def check(gateway: Gateway) -> Findings:
    """Look at the disk."""
    folder, room = nearest(gateway.buffer)
    status = gateway.status or {}
    facts = Facts(
        folder,
        mount_of(folder, gateway.root),
        room.f_bavail * room.f_frsize,
        room.f_blocks * room.f_frsize,
        status.get("buffer", {}).get("written_per_day"),
        tuple(_cards(gateway)),
        absent(gateway.buffer),
    )
    return judge(facts)


def nearest(folder: Path) -> tuple[Path, os.statvfs_result]:
    """Give the folder, or the first above it that is there and may be looked at, and its room."""
    try:
        return folder, os.statvfs(folder)
    except OSError:
        return nearest(folder.parent)


def _cards(gateway: Gateway) -> list[Card]:
    cards = []
    for device in sorted((gateway.root / "sys/block").glob("mmcblk*/device")):
        inside = device.relative_to(gateway.root)
        life = [int(word, 16) for word in gateway.text(f"{inside}/life_time").split()]
        spare = gateway.text(f"{inside}/pre_eol_info")
        if life or spare:
            cards.append(Card(device.parent.name, max(life, default=0), int(spare or "0", 16)))
    return cards


def judge(facts: Facts) -> Findings:
    """Say whether readings can be kept on it, and for how long."""
    if facts.absent:
        yield _not_mounted(facts.absent)
    yield from _kind(facts)
    yield _room(facts)
    for card in facts.cards:
        yield from _wear(card)
    if not facts.cards and facts.mount and facts.mount.source.startswith("/dev/mmcblk"):
        yield Unseen(later("wear of the card"), _("it does not tell"))


def _not_mounted(awaited: Entry) -> Finding:
    what = _("{source} is not mounted at {point}, so nothing is read").format(
        source=awaited.source, point=awaited.point
    )
    action = _("plug that disk in, then: mount {point}").format(point=awaited.point)
    return fail(SUBJECT, what, action, "D-DISK-ABSENT")


def _kind(facts: Facts) -> Findings:
    mount = facts.mount
    if mount is None:
        return
    if mount.read_only:
        what = _("{point} can only be read: no reading is kept through a power cut").format(
            point=mount.point
        )
        action = _(
            "see why: dmesg | grep -i -e mmc -e ext4 -e error; after errors replace the card"
        )
        yield fail(SUBJECT, what, action, "D-DISK-READ-ONLY")
    if mount.in_memory:
        what = _("{folder} is in memory ({kind}): a power cut loses what waits").format(
            folder=facts.folder, kind=mount.kind
        )
        action = _("put buffer.path on a disk")
        yield warn(SUBJECT, what, action, "D-DISK-MEMORY")
    if mount.kind in UNSAFE:
        what = _("{folder} is on {kind}, which a power cut, or a second program, damages").format(
            folder=facts.folder, kind=mount.kind
        )
        yield warn(SUBJECT, what, _("put buffer.path on ext4, xfs or btrfs"), "D-DISK-KIND")


def _room(facts: Facts) -> Finding:
    pace = facts.written_per_day
    what = _("{free} of {total} free at {folder}").format(
        free=megabytes(facts.free), total=megabytes(facts.total), folder=facts.folder
    )
    if pace is not None:
        what = _("{room}, the agent writes {pace} a day").format(room=what, pace=megabytes(pace))
    action = _("find what takes the room: du -xh {folder} | sort -h | tail").format(
        folder=facts.folder
    )
    if facts.free < FULL:
        return fail(SUBJECT, what, action, "D-DISK-FULL")
    if facts.free < SCARCE:
        return warn(SUBJECT, what, action, "D-DISK-SCARCE")
    return fine(SUBJECT, what)


def _wear(card: Card) -> Findings:
    subject = later("card {name}").format(name=card.name)
    used = (
        _("{used} % of its life used").format(used=min(card.used, 10) * 10)
        if card.used
        else _("life not told")
    )
    if card.used >= USED_UP or card.spare >= SPARE_URGENT:
        yield fail(
            subject, _("{used}: it can fail any day").format(used=used), _(REPLACE), "D-CARD-WORN"
        )
    elif card.used >= NEARLY_USED_UP or card.spare == SPARE_WARNING:
        yield warn(
            subject, _("{used}: it will not last").format(used=used), _(REPLACE), "D-CARD-WEARS"
        )
    else:
        yield fine(subject, used)


def megabytes(count: int) -> str:
    """Write a number of bytes for people."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
