"""SIGHUP with good and with broken files, again and again: who did not change does not notice."""

import copy
import random
import signal
import time

from tests.rigs.agent_process import agent, configure
from tests.rigs.arrivals import heard
from tests.rigs.counter_plc import CounterPlc, Heartbeat, connection, drain, longest_gap
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.mosquitto import mosquitto
from tests.rigs.moving_plant import reload
from tests.rigs.site import ENDLESS
from tests.rigs.until import until

EVERY = 0.02


def without_driver(config):
    config["connections"][1]["driver"] = "modbuss"


def with_unknown_key(config):
    config["connections"][1]["devices"][0]["pionts"] = {}


def with_a_bad_unit(config):
    config["connections"][1]["devices"][0]["address"]["unit"] = 900


def with_one_name_twice(config):
    config["connections"].append(config["connections"][0])


def with_a_password_in_it(config):
    config["mqtt"]["password"] = "hunter2"  # noqa: S105 - refused


def without_its_secret(config):
    config["mqtt"] |= {"username": "gw", "password_file": "no-such-file"}


def with_a_folder_for_a_secret(config):
    config["mqtt"] |= {"username": "gw", "password_file": "."}


BREAKS = [
    without_driver, with_unknown_key, with_a_bad_unit, with_one_name_twice, with_a_password_in_it,
    with_a_folder_for_a_secret, without_its_secret,
]  # fmt: skip


def changed(config, chance):
    """Give another good configuration: the second connection polls at another interval."""
    other = copy.deepcopy(config)
    other["connections"][1]["devices"][0]["every"] = f"{chance.randrange(10, 100)}ms"
    return other


@sized(quick=1, full=100, thorough=True)
async def test_reloads_cost_the_unchanged_nothing_and_a_broken_file_changes_nothing(tmp_path, size):  # noqa: PLR0915 - one story
    chance, took = random.Random(27), []
    with judged(27, f"{size.amount} reloads, as many broken files", full=size.full) as outcome:
        async with CounterPlc() as same, CounterPlc() as other, Heartbeat() as own:
            async with mosquitto(tmp_path, *ENDLESS) as port:
                with heard(port) as arrivals:
                    config = configure(port, connection(same), connection(other, "other"))
                    async with agent(tmp_path, config) as gateway:
                        await until(lambda: len(arrivals.values["line-1"]) > 5)
                        for number in range(size.amount):
                            broken = copy.deepcopy(config)
                            BREAKS[-1 - number % len(BREAKS)](broken)
                            said = await reload(gateway, broken, "not_reloaded")
                            assert "agent.yaml: line " in said["why"]
                            asked = time.monotonic()
                            said = await reload(gateway, changed(config, chance))
                            took.append(time.monotonic() - asked)
                            assert set(said["changes"]) <= {
                                "other: stopped", "other: started", "nothing"
                            }  # fmt: skip
                        await _reload_text(gateway, "version: 1\n  agent: [")
                        gap = longest_gap(same.asked) - EVERY
                        await drain(gateway, same, other)
                        served = same.count() + other.count()
                        await until(lambda: arrivals.good >= served - size.amount)
        outcome.recovery_s = max(took)
        outcome.notes |= {"longest pause of the unchanged ms": round(1000 * gap)}
        outcome.judge(arrivals, served=served)
        outcome.notes["read while it was stopped"] = served - arrivals.good
        assert (outcome.missing, outcome.disorder, outcome.losses) == (0, 0, 0)
        assert len(arrivals.values["line-1"]) == same.count()
        assert served - arrivals.good <= size.amount, "at most the read that was cut off"
        assert same.peer.connects == 1
        assert gap <= 0.1 + own.noise
        assert len(arrivals.accounts.report()["agents"]) == 1


async def _reload_text(gateway, text):
    before = len(gateway.events("not_reloaded"))
    gateway.file.write_text(text)
    gateway.send(signal.SIGHUP)
    await until(lambda: len(gateway.events("not_reloaded")) > before, 90)
