"""The buffer's own disk is not mounted at boot: it is awaited, and the one below stays clean."""

import time

import pytest

from tests.rigs.agent_process import AgentProcess, configure
from tests.rigs.arrivals import arrivals_at
from tests.rigs.counter_plc import CounterPlc, connection, drain
from tests.rigs.fake_broker import fake_broker
from tests.rigs.fault_report import judged
from tests.rigs.loop_disk import do, make_image, why_not
from tests.rigs.until import until

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

RETRY_SOON = {"edge_agent.agent.DISK_RETRY": 0.5}
# In a view of the file system of its own, /etc/fstab is another one.
WITH_TABLE = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/fstab && exec "$@"')


def files(folder):
    """What is in it but the socket for `status`, which takes no room."""
    return [file for file in folder.iterdir() if not file.is_socket()]


@pytest.mark.thorough
async def test_a_disk_is_awaited_and_the_one_below_stays_clean(tmp_path):  # noqa: PLR0915 - one story
    point, table, image = tmp_path / "ssd", tmp_path / "fstab", tmp_path / "disk.img"
    point.mkdir()
    make_image(image, 16)
    table.write_text(f"{image} {point} ext4 nofail,loop\n")
    (tmp_path / "buffer").symlink_to(point)
    with judged(11, "the buffer's disk is not mounted at start") as outcome:
        async with CounterPlc() as plc, fake_broker() as broker:
            gateway = AgentProcess(
                tmp_path,
                configure(broker.port, connection(plc)),
                RETRY_SOON,
                wrapper=(*WITH_TABLE, str(table)),
            )
            await gateway.start()
            try:
                await until(lambda: gateway.events("buffer_not_open"), 60)
                said = gateway.events("buffer_not_open")[0]["why"]
                assert f"should be on {image}, which is not mounted at {point}" in said
                assert gateway.running
                assert not plc.count(), "it polls although it can keep nothing"
                assert not files(point)
                do("nsenter", "--target", str(gateway.pid), "--mount", "mount", point)
                began = time.monotonic()
                await until(lambda: broker.payloads("/data"), 60)
                outcome.recovery_s = time.monotonic() - began
                assert len(gateway.events("buffer_not_open")) == 1, "the log repeats itself"
                await until(lambda: plc.count() > 20, 60)
                await drain(gateway, plc)
                await gateway.stop()
                assert not files(point), "something went to the disk below"
            finally:
                await gateway.kill()
        outcome.judge(arrivals_at(broker), served=plc.count())
        outcome.assert_nothing_lost_silently()
