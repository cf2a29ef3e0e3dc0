"""A template of a real configuration: what it asks, what it never tells, and what comes back."""

import copy
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.config import ConfigInvalid
from edge_agent.config.library import Library
from edge_agent.config.places import written
from edge_agent.errors import CommandFailed
from edge_agent.setup.answers import Unattended
from edge_agent.site.exporting import export
from edge_agent.site.making import prepare
from edge_agent.site.questions import Vault, flow, refuse_strangers
from edge_agent.site.render import render
from edge_agent.site.template import Template, leaves, read
from tests.site.conftest import PASSWORD, PIN, exported, gateway, meaning

# what the gateway of the template would answer
ITS_OWN = {
    "site": "shaoxing-3/hall-2",
    "gateway": "gw-01",
    "converter_host": "127.0.0.1",
    "oven_url": "opc.tcp://10.0.0.9:4840",
    "oven_username": "reader-of-this-oven",
    "dtsu-3_ct_ratio": "600/5",
}


def answered(template: Template, given: dict[str, str]) -> bytes:
    refuse_strangers(template, given)
    driver = Unattended(given, print)
    answers = driver.run(lambda: flow(template, Vault()))
    assert answers is not None, driver.missing
    return render(template, answers)


def test_it_asks_what_differs_and_at_most_ten_things(commissioned, tmp_path):
    text = exported(tmp_path, commissioned)
    template = read(text, "site.yaml")
    defaults = {name: one.default for name, one in template.questions.items()}
    assert defaults == {
        "site": None,
        "gateway": None,
        "broker": "mqtts://broker.example:8883",
        "broker_password": f"file:{tmp_path}/broker-password",
        "converter_host": None,
        "line-2_port": "/dev/ttyUSB7",
        "oven_url": None,
        "oven_username": None,
        "oven_password_file": f"file:{tmp_path}/oven-password",
        "dtsu-3_ct_ratio": None,
    }
    # the rest stays as it is, and is named where people can see it
    assert "#   connections[0].devices[0].address.unit: 1\n" in text
    assert "#   connections[0].settings.port: 502\n" in text


def test_what_follows_from_the_gateways_name_is_not_asked(commissioned, tmp_path):
    mqtt = read(exported(tmp_path, commissioned), "").configuration["mqtt"]
    assert mqtt["username"] == "{{gateway}}"
    assert mqtt["client_id"] == "edge-{{gateway}}"


def test_equipment_that_is_named_twice_is_asked_once(commissioned, tmp_path):
    second = copy.deepcopy(commissioned["connections"][0])
    second["name"], second["devices"][0]["name"] = "converter-2", "meter-9"
    second["settings"]["port"] = 503
    commissioned["connections"].append(second)
    template = read(exported(tmp_path, commissioned), "")
    assert "converter-2_host" not in template.questions
    assert template.configuration["connections"][3]["settings"]["host"] == "{{converter_host}}"


def test_a_serial_port_of_one_adapter_is_asked_without_a_default(commissioned, tmp_path):
    port = "/dev/serial/by-id/usb-FTDI_FT232R_AB0KNUJC-if00-port0"
    commissioned["connections"][1]["settings"]["port"] = port
    text = exported(tmp_path, commissioned)
    assert read(text, "").questions["line-2_port"].default is None
    assert "AB0KNUJC" not in text


def test_no_secret_and_no_user_is_in_it(commissioned, tmp_path):
    text = exported(tmp_path, commissioned)
    for secret in (PASSWORD, PIN, "reader-of-this-oven", "10.0.0.9"):
        assert secret not in text
    # not even where there are more than ten other things to ask
    for number in range(12):
        oven = copy.deepcopy(commissioned["connections"][2])
        oven["name"], oven["devices"][0]["name"] = f"oven-{number}", f"oven-1-{number}"
        oven["settings"]["url"] = f"opc.tcp://10.0.1.{number}:4840"
        commissioned["connections"].append(oven)
    text = exported(tmp_path, commissioned)
    assert "reader-of-this-oven" not in text


def test_a_secret_where_it_does_not_belong_is_found(commissioned, tmp_path):
    commissioned["connections"][0]["devices"][0]["label"] = f"ask Li for {PASSWORD}"
    with pytest.raises(CommandFailed, match=r"connections\[0\]\.devices\[0\]\.label holds the"):
        exported(tmp_path, commissioned)


def test_text_that_looks_like_a_question_is_refused(commissioned, tmp_path):
    commissioned["connections"][0]["devices"][0]["label"] = "{{site}}"
    with pytest.raises(CommandFailed, match="looks like a question"):
        exported(tmp_path, commissioned)


def test_its_own_answers_give_the_same_configuration_back(commissioned, tmp_path):
    # the way of writing a number in an address carries meaning, and words of YAML 1.1 are texts
    points = commissioned["connections"][0]["devices"][0]["points"]
    points |= {"hexadecimal": {"address": "HEX"}, "no": {"address": "holding:9", "label": "off"}}
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps(commissioned, ensure_ascii=False).replace('"HEX"', "0x006B"))
    before = meaning(file.read_text(), tmp_path)
    template = read(export(file, before, {}).text, "")
    assert meaning(answered(template, ITS_OWN), tmp_path) == before


def test_people_may_ask_more_and_less(commissioned, tmp_path):
    text = exported(tmp_path, commissioned)
    text = text.replace('url: "{{broker}}"', 'url: "mqtt://{{site-code}}.example:1883"')
    text = text.replace("questions:", "questions:\n  site-code: {ask: Code?, kind: name}\n")
    template = read(text, "")
    made = meaning(answered(template, {**ITS_OWN, "site-code": "nb"}), tmp_path)
    assert made.mqtt.host == "nb.example"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("template: 1", "template: 2"), ", template: must be 1"),
        (("kind: site", "kind: place"), "questions.site.kind: "),
        (('site: "{{site}}"', 'site: "{{sight}}"'), "asks sight, which is no question"),
        (("questions:", "questionss:"), "questionss"),
        (("configuration:", "- x"), ""),
    ],
)
def test_mistakes_in_a_template_are_told_with_their_place(commissioned, tmp_path, change, told):
    text = exported(tmp_path, commissioned)
    with pytest.raises(ConfigInvalid) as caught:
        read(text.replace(*change), "site.yaml")
    assert any(told in str(problem) for problem in caught.value.problems), caught.value.problems


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"site": "Not A Name"}, "not-a-name"),
        ({"converter_host": "a b"}, "is no address"),
        ({"oven_url": "opc.tcp://user:pw@h"}, "is no URL"),
        ({"dtsu-3_ct_ratio": "lots"}, "is no ratio"),
        ({"line-2_port": "COM3"}, "beginning with /"),
        ({"broker_password": "hunter22"}, "must not stand here"),
        ({"broker_password": "env:NOT_SET_HERE"}, "is not set"),
        ({"gatewy": "gw-2"}, "did you mean gateway"),
    ],
)
def test_answers_that_do_not_do_are_told(commissioned, tmp_path, answer, told):
    template = read(exported(tmp_path, commissioned), "")
    with pytest.raises(CommandFailed, match=told):
        answered(template, {**ITS_OWN, **answer})


NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)
ANSWERS = st.fixed_dictionaries(
    {
        "site": st.lists(NAMES, min_size=1, max_size=3).map("/".join),
        "gateway": NAMES,
        "converter_host": st.from_regex(
            r"[A-Za-z0-9]([A-Za-z0-9.-]{0,20}[A-Za-z0-9])?", fullmatch=True
        ),
        "oven_url": st.from_regex(r"opc\.tcp://[a-z0-9]{1,9}:4[0-9]{3}", fullmatch=True),
        "oven_username": st.text(min_size=1, max_size=20).filter(str.isprintable),
        "dtsu-3_ct_ratio": st.sampled_from(["120", "600/5", "0.5", "1"]),
    }
)


@pytest.fixture(scope="module")
def template_text(tmp_path_factory):
    return exported(tmp_path_factory.mktemp("template"), gateway(Path("/etc/edge-agent")))


@pytest.mark.parametrize("examples", [25, pytest.param(60, marks=pytest.mark.thorough)])
def test_every_answer_arrives_as_it_was_given(template_text, examples):
    template = read(template_text, "")
    few = settings(max_examples=examples, deadline=None, derandomize=True)
    few(given(ANSWERS)(lambda answers: arrives(template, answers)))()


def arrives(template, given):
    made = answered(template, given)
    assert made == answered(template, dict(sorted(given.items(), reverse=True)))
    config = meaning(made)
    assert config.agent.site == given["site"]
    assert config.agent.id == config.mqtt.username == given["gateway"]
    assert config.connections[0].settings.host == given["converter_host"]
    assert config.connections[2].settings.url.rstrip("/") == given["oven_url"]
    assert config.connections[2].settings.username == given["oven_username"]


BOX = """
import json, sys
from pathlib import Path
from edge_agent import language
from edge_agent.setup.answers import Unattended
from edge_agent.site.exporting import export
from edge_agent.site.questions import Vault, flow
from edge_agent.site.render import render
from edge_agent.site.template import read
language.use("zh")
template = read(Path(sys.argv[1]).read_text("utf-8"), "")
for given in json.load(sys.stdin):
    answers = Unattended(given, print).run(lambda: flow(template, Vault()))
    print(render(template, answers).hex())
"""


def test_another_box_makes_the_same_bytes_of_the_same_answers(template_text, tmp_path):
    template, dice = read(template_text, ""), random.Random(7)
    (tmp_path / "site.yaml").write_text(template_text)
    sites = [
        {**ITS_OWN, "site": f"s-{dice.randrange(10**6)}", "oven_username": name}
        for name in ("读者", "on", "0x10", "a: b # c", '"', "'x", "1e5", "~", "{{site}}")
    ]
    other = subprocess.run(
        [sys.executable, "-c", BOX, tmp_path / "site.yaml"],
        input=json.dumps(sites),
        text=True,
        capture_output=True,
        check=True,
        cwd="/",
        env={**os.environ, "PYTHONHASHSEED": "1", "LANG": "C", "TZ": "Asia/Shanghai"},
    )
    assert other.stdout.split() == [answered(template, one).hex() for one in sites]


def test_another_version_of_the_users_own_profile_is_told(commissioned, tmp_path):
    installed = Library().files["modbus"]["eastron-sdm630"].read_text()
    own = tmp_path / "profiles" / "modbus" / "eastron-sdm630.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(installed.replace("unit: V,", "unit: kV,"))
    template = read(exported(tmp_path, commissioned), "")
    answers = Unattended(ITS_OWN, print).run(lambda: flow(template, Vault()))
    assert prepare(template, answers, Vault(), tmp_path).warnings == []
    own.write_text(installed)
    (warning,) = prepare(template, answers, Vault(), tmp_path).warnings
    assert warning.startswith("the profile eastron-sdm630 is another version here")


def test_a_secret_is_kept_for_its_file_and_a_place_is_a_place():
    vault = Vault()
    assert vault.keep("/p", "sesame") == "file:/p"
    assert vault.keep("/q", "file:/elsewhere") == "file:/elsewhere"
    assert vault.secrets == {"/p": "sesame"}


def test_values_are_found_wherever_they_stand():
    found = {written(place): value for place, value in leaves({"a": [1, {"b": "x"}], "c": None})}
    assert found == {"a[0]": 1, "a[1].b": "x", "c": None}
