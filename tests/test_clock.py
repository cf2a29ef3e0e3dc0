"""The clocks of this machine."""

import time

from edge_agent.clock import BOOT_ID, Clock


def test_the_wall_clock_counts_milliseconds_since_1970():
    assert abs(Clock().now() - time.time() * 1000) < 100


def test_the_steady_clock_does_not_go_back():
    clock = Clock()
    assert clock.mono() <= clock.mono()


def test_a_boot_has_one_identity():
    assert Clock().boot == Clock().boot == BOOT_ID.read_text().strip()


def test_whether_the_clock_is_right_is_the_kernel_s_word():
    clock = Clock()
    assert clock.synced() in {True, False}
    clock._adjtimex = None  # a system without that call
    assert clock.synced() is False
