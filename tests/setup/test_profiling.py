"""Setting up a device by a profile: the search, the ratio, the comparison, the preset."""

import pytest

from edge_agent import plugins
from edge_agent.config.library import Library
from edge_agent.language import speaking
from edge_agent.layout import width
from edge_agent.setup import profile_check
from edge_agent.setup.interview import Interview
from edge_agent.setup.kind import Link
from edge_agent.setup.profile_check import Subject, table
from edge_agent.setup.profile_choice import profiles_of, search, title_of, trust_in
from edge_agent.setup.profile_preset import _numbers
from edge_agent.setup.profile_trial import busy, connection_with, load_of, read_device
from edge_agent.setup.profiling import profile_steps, same_again

KNOWN = profiles_of("modbus")
LINE = {"transport": "rtu", "port": "/dev/ttyRS485", "baud": 9600}


@pytest.fixture
def meter(monkeypatch):
    """A meter that shows these values, without a wire; what was read is kept."""
    reads = []

    def read(driver, settings, device, folder=None):
        reads.append(device)
        made = connection_with(driver, settings, [{"name": "device", **device}], folder)
        values = {
            point.name: {
                "ok": True, "v": "7912", "number": 7912, "unit": point.unit, "why": "",
            }
            for point in made.devices[0].points
        }  # fmt: skip
        return {"state": "up", "why": "", "code": "", "ms": 20, "values": values}

    monkeypatch.setattr(profile_check, "read_device", read)
    return reads


def talk(name, answers, *, settings=LINE, devices=()):
    """Set one device up; give the draft, what was asked, and the link."""
    link = Link(dict(settings), devices=list(devices))
    subject = Subject("modbus", {"unit": 1}, suggested=(name,))
    interview = Interview(lambda: profile_steps("d", link, subject))
    asked = []
    while interview.question is not None:
        at = interview.question.id.removeprefix("d.")
        asked.append((at, interview.question))
        given = answers.get(at, interview.default())
        interview.answer(interview.question.example if given is None else given)
        assert len(asked) < 20, [at for at, _ in asked]
    return interview.result, asked, link


def test_a_device_as_the_agent_will_read_it(meter):
    draft, asked, link = talk("eastron-sdm630", {})
    assert [at for at, _ in asked] == ["profile", "match", "preset"]
    assert draft.device == {
        "address": {"unit": 1},
        "profile": "eastron-sdm630",
        "every": "5s",
        "points": {"energy_import": {"every": "60s"}, "energy_export": {"every": "60s"}},
    }
    assert (draft.name, draft.label) == ("sdm630", "Eastron SDM630")
    made = connection_with("modbus", link.settings, [{"name": "one", **draft.device}])
    every = {point.name: point.every for point in made.devices[0].points}
    assert (every["voltage_l1"], every["energy_import"]) == (5.0, 60.0)


def test_only_what_was_shown_counts_as_confirmed(meter):
    draft, asked, _ = talk("eastron-sdm630", {})
    shown = dict(asked)["match"].facts
    assert len(draft.compared) == 10
    labels = [KNOWN["eastron-sdm630"].points[name].label.en for name in draft.compared]
    assert all(label in shown for label in labels)


def test_a_ratio_that_only_people_know_is_asked_and_counts_at_once(meter):
    name = next(name for name, one in KNOWN.items() if one.parameters)
    key, parameter = next(iter(KNOWN[name].parameters.items()))
    draft, asked, _ = talk(name, {f"parameter.{key}": "600/5"})
    assert asked[1][0] == f"parameter.{key}"
    assert not parameter.choices
    assert meter[0]["parameters"][key] == draft.device["parameters"][key] == "600/5"


def test_what_a_model_needs_of_its_line_is_set_there(meter):
    _, _, link = talk("danfoss-fc51", {})
    assert link.settings.keys() >= KNOWN["danfoss-fc51"].settings.keys()


def test_all_of_it_faster_and_what_that_costs(meter):
    draft, asked, _ = talk("eastron-sdm630", {"preset": "all"})
    assert draft.device["preset"] == "all"
    texts = [choice.text for choice in asked[-1][1].choices]
    shares = [int(text.partition("uses ")[2].split()[0]) for text in texts[:3]]
    assert 0 < shares[0] < shares[1] < 100
    slow = {**LINE, "baud": 1200}
    there = [{"name": "x", "address": {"unit": 9}, "profile": "eastron-sdm630", "every": "1s"}]
    _, asked, _ = talk("eastron-sdm630", {}, settings=slow, devices=there)
    assert "too much for this line" in asked[-1][1].choices[1].text


def test_how_long_devices_think_counts_in_the_load_of_their_line(meter):
    one = {"address": {"unit": 1}, "profile": "eastron-sdm630", "every": "1s"}
    quick, slow = (busy("modbus", LINE, [one], [seconds]) for seconds in (None, 0.05))
    made = connection_with("modbus", LINE, [{"name": "one", **one}])
    driver = plugins.load("modbus")(made.settings)
    requests = driver.plan([point.address for point in made.devices[0].points], {}).requests
    assert slow == pytest.approx(quick + 0.05 * requests)
    assert load_of(made, {"one": 0.05}) == slow  # the summary's number is the preset's


def test_the_load_is_not_known_of_what_cannot_be(meter):
    assert busy("modbus", LINE, [{"address": {}, "profile": "nobody"}], [None]) is None


def test_no_profile_fits_or_its_values_are_wrong(meter):
    assert talk("eastron-sdm630", {"profile": "other"})[0] is None
    wrong = {"match": "no", "wrong": "registers"}
    assert talk("eastron-sdm630", wrong)[0] is None
    units = {"match": "units", "units": "no", "wrong": "registers"}
    assert talk("eastron-sdm630", units)[0] is None


def test_a_device_that_is_silent_is_kept_only_if_somebody_says_so(monkeypatch):
    silent = {"state": "silent", "why": "no answer", "code": "E-1", "ms": 0, "values": {}}
    monkeypatch.setattr(profile_check, "read_device", lambda *_: silent)
    draft, asked, _ = talk("eastron-sdm630", {"trouble": "keep"})
    question = dict(asked)["trouble"]
    assert (question.default, question.exit_code) == ("again", 4)
    assert "did not answer. (E-1)\n 1. Is it powered?" in question.facts
    assert draft.compared == {}


def test_the_same_device_again_asks_nothing_that_is_known(meter):
    device = {"name": "a", "address": {"unit": 1}, "profile": "xy-md02", "every": "5s"}
    subject = Subject("modbus", {"unit": 2})
    interview = Interview(lambda: same_again("d", Link(LINE), device, subject))
    assert interview.question.id == "d.match"
    interview.answer("keep")
    assert interview.result.device == {
        "profile": "xy-md02", "every": "5s", "address": {"unit": 2}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "name"),
    [("sdm630", "eastron-sdm630"), ("SDM 630", "eastron-sdm630"), ("德力西", ""),
     ("东鸿", "eastron-sdm630"), ("schneider 5", "schneider-pm5xxx"), ("xymd02", "xy-md02")],
)  # fmt: skip
def test_a_few_letters_of_the_label_find_it(text, name):
    found = search(KNOWN, text)
    assert name in found if name else found == []


def test_every_model_fits_into_a_line_in_both_languages(meter):
    for language in ("en", "zh"):
        with speaking(language):
            _, asked, _ = talk("eastron-sdm630", {"profile": "e", "model": "other"})
            lines = [choice.text for _, question in asked for choice in question.choices]
            assert all(width(line) <= 56 for line in lines)
            assert all(title_of(one) for one in KNOWN.values())


@pytest.mark.parametrize(
    ("typed", "name", "label"),
    [("XY-MD02", "xy-md02", "XY-MD02"), ("xy md03", "xy-md03", "XY-MD03"), ("xy", "xy-md02", "")],
)
def test_a_device_is_called_as_its_label_says(meter, typed, name, label):
    draft, _, _ = talk("nobody", {"profile": typed, "model": "xy-md02"})
    assert draft.name == name
    assert label in draft.label


def test_in_chinese_too_it_is_called_as_its_label_says():
    with speaking("zh"):
        assert title_of(KNOWN["xy-md02"], "XY-MD02") == "XY-MD02 温湿度变送器"
        assert title_of(KNOWN["xy-md02"]) == KNOWN["xy-md02"].zh


def test_a_profile_says_how_sure_it_is():
    assert {trust_in(one) for one in KNOWN.values()} == {"from maker's manual", "unverified"}


def test_values_stand_in_other_units_of_displays():
    profile = KNOWN["eastron-sdm630"]
    value = {"ok": True, "v": "7912", "number": 7912, "unit": "W", "why": ""}
    (line,) = table(profile, {"values": {"active_power": value}}, other_units=True)
    assert line.split() == ["Active", "power", "7.912", "kW"]


def test_numbers_of_a_page():
    parse = _numbers(14, 26)
    assert parse("14，16-18") == [14, 16, 17, 18]
    assert parse("-") == []
    for wrong in ("13", "x", "20-", "30"):
        with pytest.raises(ValueError, match=r"\d"):
            parse(wrong)


def test_own_profiles_of_a_site_are_known(tmp_path):
    own = tmp_path / "profiles" / "modbus" / "my-pump.yaml"
    own.parent.mkdir(parents=True)
    own.write_bytes(Library().files["modbus"]["xy-md02"].read_bytes())
    assert "my-pump" in profiles_of("modbus", tmp_path)


def test_a_configuration_that_would_not_do_is_a_sentence_and_no_exception():
    seen = read_device("modbus", {"transport": "rtu"}, {"profile": "xy-md02", "address": {}})
    assert (seen["state"], seen["values"]) == ("down", {})
    assert "port" in seen["why"]
