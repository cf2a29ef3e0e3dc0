"""The two-copy file of reserved numbers, on a real disk."""

import pytest

from edge_agent.reserve import COPIES, SIZE, Reservation, ReserveFile
from tests.rigs.small_disk import fill, small_disk

RESERVATION = Reservation("0123456789abcdef", 5, 100, 1771500000123)


def same(one, other):
    fields = ("epoch", "accounted", "reserved", "ts", "clean")
    return all(getattr(one, name) == getattr(other, name) for name in fields)


def test_what_was_written_is_read_back(tmp_path):
    assert ReserveFile(tmp_path).read() is None
    ReserveFile(tmp_path).write(RESERVATION)
    assert same(ReserveFile(tmp_path).read(), RESERVATION)
    assert [(tmp_path / name).stat().st_size for name in COPIES] == [SIZE, SIZE]
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in COPIES] == [0o600, 0o600]


def test_the_newest_counts_also_after_a_restart(tmp_path):
    for number in range(5):
        reserve = ReserveFile(tmp_path)
        reserve.read()
        reserve.write(Reservation("e", 0, number, 0))
        assert ReserveFile(tmp_path).read().reserved == number


@pytest.mark.parametrize("name", COPIES)
def test_one_damaged_copy_does_not_bring_an_old_reservation_back(tmp_path, name):
    reserve = ReserveFile(tmp_path)
    reserve.write(Reservation("e", 0, 1, 0))
    reserve.write(Reservation("e", 0, 2, 0))
    (tmp_path / name).write_bytes(b"0" * SIZE)
    assert ReserveFile(tmp_path).read().reserved == 2


def test_a_power_cut_between_the_copies_leaves_one_of_both(tmp_path):
    reserve = ReserveFile(tmp_path)
    reserve.write(Reservation("e", 0, 1, 0))
    second = (tmp_path / COPIES[1]).read_bytes()
    reserve.write(Reservation("e", 0, 2, 0))
    (tmp_path / COPIES[1]).write_bytes(second)
    again = ReserveFile(tmp_path)
    assert again.read().reserved == 2
    again.write(Reservation("e", 0, 3, 0))
    assert ReserveFile(tmp_path).read().reserved == 3


def test_no_flipped_bit_passes_for_a_reservation(tmp_path):
    ReserveFile(tmp_path).write(RESERVATION)
    (tmp_path / COPIES[1]).unlink()
    path = tmp_path / COPIES[0]
    whole = path.read_bytes()
    content = len(whole.rstrip())
    for offset in range(content):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[offset] ^= 1 << bit
            path.write_bytes(damaged)
            found = ReserveFile(tmp_path).read()
            assert found is None or same(found, RESERVATION), (offset, bit)


def test_a_disk_that_does_not_take_it_all_is_an_error(tmp_path):
    with small_disk(tmp_path / "disk", 64) as place:
        filler = fill(place)
        with pytest.raises(OSError, match="No space"):
            ReserveFile(place).write(RESERVATION)
        filler.unlink()
        ReserveFile(place).write(RESERVATION)
        fill(place)
        ReserveFile(place).write(Reservation("e", 0, 2, 0))  # over what is there: always
