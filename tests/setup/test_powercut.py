"""The power-cycle test: judged from how a gateway stands before and after."""

import pytest

from edge_agent.setup import powercut
from edge_agent.setup.powercut import BY_ITSELF, Standing, judged, next_step, noted, told

NOW = 1_790_000_000_000


def status(**changes):
    """A running agent that was started 20 s ago; changes by dotted names."""
    made = {
        "agent": {"state": "polling", "now": NOW, "since": NOW - 20_000},
        "broker": {"last_ack": NOW - 500},
        "buffer": {"epoch": "e1", "seq": 900, "losses": 0},
        "devices": [
            {"device": "meter", "state": "up", "last_good": NOW - 900},
            {"device": "dryer", "state": "silent", "last_good": None},
        ],
    }
    for name, value in changes.items():
        part, key = name.split("_", 1)
        made[part][key] = value
    return made


BEFORE = noted(Standing("boot-1", NOW - 90_000, 5000.0, True, status(buffer_seq=800)))


def after(boot="boot-2", uptime=60.0, enabled=True, agent=None, **changes):
    return Standing(boot, NOW, uptime, enabled, status(**changes) if agent is None else agent)


def failed(now):
    return [one["step"] for one in judged(BEFORE, now)["steps"] if not one["ok"]]


def test_only_what_stood_before_has_to_come_back():
    assert BEFORE["devices"] == ["meter"]
    assert BEFORE["problem"] == ""
    result = judged(BEFORE, after())
    assert result["passed"], result
    assert next_step(result) == ""
    lines = told(result)
    assert len(lines) == 5
    assert "40 s after power-on" in lines[1]


GONE = [{"device": "meter", "state": "up", "last_good": None}]


@pytest.mark.parametrize(
    ("now", "steps", "says"),
    [
        (after(boot="boot-1"), ["restarted"], "Pull the plug"),
        (after(boot="unknown"), ["restarted"], "Pull the plug"),
        (after(agent=False)._replace(status=None), ["service"], "systemctl enable"),
        (after(enabled=False), ["service"], "systemctl enable"),
        (after(agent_state="opening"), ["service"], "Wait a minute"),
        (after(uptime=BY_ITSELF + 21), ["service"], "systemctl enable"),
        (after(agent=status() | {"devices": GONE}), ["devices"], "that device"),
        (after(broker_last_ack=None), ["broker"], "doctor"),
        (after(buffer_epoch="e2", buffer_seq=3), ["buffer"], "doctor"),
        (after(buffer_seq=800), ["buffer"], "doctor"),
        (after(buffer_losses=1), ["buffer"], "in a minute"),
    ],
)
def test_what_is_not_back_is_said_with_the_next_step(now, steps, says):
    result = judged(BEFORE, now)
    assert failed(now) == steps
    assert not result["passed"]
    assert says in next_step(result)
    assert len({one["told"] for one in result["steps"]}) == len(result["steps"])


def test_a_clock_that_was_set_since_the_start_proves_nothing_against_the_agent():
    assert failed(after(agent_since=NOW - 10**9)) == []


def test_where_systemd_does_not_run_the_agent_only_has_to_run():
    assert failed(after(enabled=None)) == []


@pytest.mark.parametrize(
    ("agent", "says"),
    [
        (None, "does not run yet"),
        (status(agent_state="opening"), "does not run yet"),
        (status() | {"devices": []}, "No device answers"),
        (status(broker_last_ack=None), "confirmed nothing"),
    ],
)
def test_the_test_is_not_begun_where_nothing_could_come_back(agent, says):
    assert says in noted(Standing("boot-1", NOW, 5000.0, True, agent))["problem"]


def test_it_waits_until_everything_is_back(tmp_path, monkeypatch):
    looks = iter([after(broker_last_ack=None), after(broker_last_ack=None), after()])
    monkeypatch.setattr(powercut, "standing", lambda config: next(looks))
    monkeypatch.setattr(powercut, "LOOK_EVERY", 0.0)
    assert powercut.judge(BEFORE, tmp_path)["passed"]
    assert next(looks, None) is None


def test_it_does_not_wait_where_the_plug_was_not_pulled(tmp_path, monkeypatch):
    looks = iter([after(boot="boot-1")])
    monkeypatch.setattr(powercut, "standing", lambda config: next(looks))
    assert not powercut.judge(BEFORE, tmp_path)["passed"]


def test_this_machine_can_be_looked_at(tmp_path):
    now = powercut.standing(tmp_path / "config.yaml")
    assert now.status is None
    assert now.uptime > 0
    assert powercut.note(tmp_path / "config.yaml")["problem"]
