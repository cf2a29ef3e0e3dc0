"""Which disk a folder should be on, and whether it is there."""

from pathlib import Path

import pytest

from edge_agent import fstab
from tests.rigs.loop_disk import small_disk, why_not

TABLE = """\
# <source> <point> <kind> <options>
UUID=1234 / ext4 errors=remount-ro 0 1
  # /dev/sdz1 /mnt/old ext4
/dev/sda1 /mnt/my\\040disk ext4 nofail 0 2
/dev/sdb1 /mnt/stick vfat noauto,user
/srv/a /srv/b none bind
/dev/sdc1 none swap sw 0 0
tmpfs /srv/t tmpfs

half
"""


def test_a_table_is_read_as_mount_reads_it() -> None:
    assert fstab.entries(TABLE) == [
        ("UUID=1234", Path("/")),
        ("/dev/sda1", Path("/mnt/my disk")),
        ("tmpfs", Path("/srv/t")),
    ]


@pytest.fixture
def write(tmp_path, monkeypatch):
    def write(*lines: str) -> None:
        table = tmp_path / "fstab"
        table.write_text("".join(f"{line}\n" for line in lines))
        monkeypatch.setattr(fstab, "FSTAB", str(table))

    return write


def test_a_folder_below_an_empty_point_awaits_its_disk(tmp_path, write) -> None:
    point = tmp_path / "ssd"
    write("/dev/sda1 / ext4", f"UUID=1 {point} ext4 nofail", f"UUID=2 {tmp_path}/other ext4")
    for is_made in (False, True):
        if is_made:
            point.mkdir()
        assert fstab.absent(point / "agent" / "buffer") == ("UUID=1", point)
    assert fstab.absent(tmp_path / "elsewhere") is None
    (tmp_path / "link").symlink_to(point)
    assert fstab.absent(tmp_path / "link") == ("UUID=1", point)


@pytest.mark.parametrize("lines", [[], ["/dev/sda1 / ext4"], ["/dev/sda1 {} ext4 noauto"]])
def test_nothing_is_awaited_that_nobody_asked_for(tmp_path, write, lines) -> None:
    write(*(line.format(tmp_path) for line in lines))
    assert fstab.absent(tmp_path / "buffer") is None


def test_without_a_table_nothing_is_awaited(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(fstab, "FSTAB", str(tmp_path / "none"))
    assert fstab.absent(tmp_path) is None


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_a_disk_that_is_there_is_not_awaited(tmp_path, write) -> None:
    with small_disk(tmp_path, 4) as point:
        write(f"/dev/sda1 {point} ext4")
        assert fstab.absent(point / "buffer") is None
    assert fstab.absent(point / "buffer") == ("/dev/sda1", point)
