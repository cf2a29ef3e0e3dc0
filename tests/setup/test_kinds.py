"""Kinds of equipment that packages bring, what is proposed for their names, and the same again."""

import sys
import time
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from edge_agent.setup import kinds
from edge_agent.setup.devices import devices
from edge_agent.setup.interview import Interview
from edge_agent.setup.kind import Home
from edge_agent.setup.kinds import find_kinds
from edge_agent.setup.plant import Plant, new_one

STRANGER = """
from edge_agent.commissioning import Draft, Kind, Link, Question, ask, whole


def kinds(home):
    return [Kind("oven", "An oven", "simulated", link, device, again=again)]


def link(id):
    line = yield from ask(Question(id=f"{id}.line", text="Line?", parse=str))
    return Link({}, memory={"line": line})


def device(id, link):
    unit = yield from ask(Question(id=f"{id}.unit", text="Unit?", parse=whole(1, 9)))
    points = {"heat": {"address": {"middle": float(unit)}}}
    device = {"points": points, "every": "5s"}
    return Draft(device, name="Oven", label="一号炉", compared={"heat": "1"})


def again(id, link, device):
    assert link.devices[0]["points"]
    return (yield from globals()["device"](id, link))
"""
HOME = Home(None, lambda name: lambda secret: secret)


@pytest.fixture
def bring(tmp_path, monkeypatch):
    """Install packages with these parts of the wizard, as name -> text of the module."""
    monkeypatch.syspath_prepend(tmp_path)

    def bring(**packages: str) -> None:
        for name, text in packages.items():
            (tmp_path / f"strange_{name}.py").write_text(text)
        entries = [EntryPoint(name, f"strange_{name}", "edge_agent.setup") for name in packages]
        monkeypatch.setattr(kinds, "entry_points", lambda group: EntryPoints(entries))

    yield bring
    for module in [name for name in sys.modules if name.startswith("strange_")]:
        del sys.modules[module]


def test_every_driver_of_ours_brings_kinds():
    found = find_kinds(HOME)
    assert found.complaints == []
    drivers = [kind.driver for kind in found.usable]
    assert sorted(set(drivers)) == ["modbus", "opcua", "serial", "simulated"]
    assert drivers == sorted(drivers)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import no_such_module_here", "No module named 'no_such_module_here'"),
        ("raise RuntimeError('broken')", "RuntimeError: broken"),
        ("", "has no attribute 'kinds'"),
        ("def kinds(home): return ['oven']", "gave 'oven'"),
        (STRANGER, "two packages bring the kind 'oven'"),
    ],
)
def test_a_broken_package_is_told_and_costs_only_its_own_kinds(bring, text, why):
    bring(a_good=STRANGER, b_other=text)
    found = find_kinds(HOME)
    assert [kind.word for kind in found.usable if kind.driver == "simulated"] == ["oven"]
    (complaint,) = found.complaints
    assert why in complaint
    talk = Interview(lambda: devices(Plant(), HOME))
    assert talk.question.facts == complaint


def test_a_driver_that_lacks_a_package_says_how_to_install_it(bring, monkeypatch):
    monkeypatch.delitem(sys.modules, "edge_agent_opcua.setup", raising=False)
    monkeypatch.setitem(sys.modules, "edge_agent_opcua", None)  # as where it cannot be imported
    monkeypatch.setattr(
        kinds,
        "entry_points",
        lambda group: EntryPoints([EntryPoint("opcua", "edge_agent_opcua.setup", group)]),
    )
    (complaint,) = find_kinds(HOME).complaints
    assert "edge-agent[opcua]" in complaint


def test_the_same_device_again_asks_only_what_differs(bring):
    bring(ovens=STRANGER)
    plant = Plant()
    talk = Interview(lambda: started(plant))
    assert talk.question.choices[0].word == "oven"
    answers(talk, kind="oven", line="left", unit="1", name="oven", label="一号炉")
    words = [choice.word for choice in talk.question.choices]
    assert (words[:3], words[-1]) == (["same", "again", "oven"], "done")
    answers(talk, kind="again", unit="2", name="oven-2", label="二号炉")
    answers(talk, kind="again", like="oven-2", unit="3", name="oven-3", label="三号炉")
    talk.answer("done")
    (connection,) = plant.connections()
    assert [device["name"] for device in connection["devices"]] == ["oven", "oven-2", "oven-3"]
    assert plant.compared["oven-3"]["values"] == {"heat": "1"}
    assert plant.compared["oven"]["at"] <= plant.compared["oven-3"]["at"] <= time.time() * 1000
    assert list(connection["devices"][0]) == ["name", "label", "every", "points"]


def test_nobody_has_compared_what_a_file_of_answers_says_also_when_a_person_goes_on(bring):
    bring(ovens=STRANGER)
    plants = [Plant(attended=False), Plant()]
    alone = Interview(lambda: started(plants[0]))
    answers(alone, kind="oven", line="left", unit="1", name="oven", label="-")
    alone.answer("done")
    assert (plants[0].names(), plants[0].compared) == ({"oven"}, {})
    person = Interview(lambda: started(plants[1]), list(alone.entries))
    assert person.question is None
    assert plants[1].compared == {}
    person.back()
    answers(person, kind="again", unit="2", name="oven-2", label="-")
    person.answer("done")
    assert list(plants[1].compared) == ["oven-2"]


def started(plant):
    plant.lines.clear()
    plant.compared.clear()
    yield from devices(plant, HOME)


def answers(talk, **wanted: str) -> None:
    """Answer these questions in order; a name has to be proposed as it is then given."""
    for word, answer in wanted.items():
        assert talk.question.id.rpartition(".")[2] == word
        if word == "name":
            assert talk.default() == answer
        talk.answer(answer)


@pytest.mark.parametrize(
    ("proposal", "taken", "name"),
    [
        ("press", set(), "press"),
        ("press", {"press"}, "press-2"),
        ("press-1", {"press-1"}, "press-2"),
        ("press-9", {"press-9", "press-10"}, "press-11"),
        ("SDM630 Modbus", set(), "sdm630-modbus"),
        ("sdm630", {"sdm630"}, "sdm630-2"),
        ("一号", set(), ""),
        ("", set(), ""),
    ],
)
def test_a_proposed_name_is_one_that_is_not_used(proposal, taken, name):
    assert new_one(proposal, taken) == name


def test_a_driver_without_a_part_of_the_wizard_is_asked_about_by_its_models(bring):
    bring()
    plant = Plant()
    talk = Interview(lambda: started(plant))
    words = [choice.word for choice in talk.question.choices]
    assert words == ["modbus", "opcua", "serial", "simulated"]
    answers(talk, kind="opcua")
    assert talk.question.id == "device.1.url"
    with pytest.raises(ValueError, match=r"opc\.tcp"):
        talk.answer("http://10.0.0.5")
