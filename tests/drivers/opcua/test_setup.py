"""The OPC UA part of the wizard, spoken with real servers of two houses."""

from pathlib import Path

import pytest
from edge_agent_opcua import setup, setup_listing, setup_looks, setup_names, setup_offers
from edge_agent_opcua.certificates import Certificate, read_chain
from edge_agent_opcua.setup_view import View
from edge_agent_opcua.trust import TrustStore

from edge_agent.setup.draft import connection_of
from edge_agent.setup.session import home_of
from tests.rigs.conversation import Conversation
from tests.rigs.node_opcua import CHANGING
from tests.rigs.opcua_certificates import certify, rsa_key
from tests.rigs.opcua_plant import OVEN
from tests.rigs.opcua_vault import CANARY

TEMPERATURE = f"nsu={OVEN};s=Temperature"
URL = "opc.tcp://10.0.0.9:4840"
SECURE = {"policies": ["None", "Basic256Sha256"], "modes": ["None", "Sign", "SignAndEncrypt"]}


def endpoint(security, policy, *users):
    tokens = [{"kind": kind, "policy": policy} for kind in users or ("anonymous", "username")]
    return {"url": URL, "security": security, "policy": policy, "users": tokens}


def words(*endpoints):
    return [offer.word for offer in setup_offers.offers(URL, endpoints)]


def test_offers_stand_the_strongest_first_and_only_one_that_merely_signs():
    every = [
        endpoint("none", "None"),
        endpoint("sign", "Basic256Sha256"),
        endpoint("sign", "Aes256_Sha256_RsaPss"),
        endpoint("encrypt", "Basic128Rsa15"),
        endpoint("encrypt", "Basic256Sha256"),
        endpoint("encrypt", "Aes256_Sha256_RsaPss"),
        endpoint("encrypt", "ECC_nistP256"),
    ]
    assert words(*every) == ["encrypt", "Basic256Sha256", "sign", "none"]
    found = {each.word: each.settings for each in setup_offers.offers(URL, every)}
    assert found["encrypt"] == {}
    assert found["Basic256Sha256"] == {"policy": "Basic256Sha256"}
    assert found["sign"] == {"security": "sign"}


def test_a_broken_policy_is_offered_where_nothing_better_encrypts_and_says_so():
    (broken, none) = setup_offers.offers(
        URL, [endpoint("encrypt", "Basic256"), endpoint("none", "None")]
    )
    assert broken.settings == {"legacy": True}
    assert "broken since 2017" in broken.text
    assert none.word == "none"


def test_a_password_is_never_offered_in_the_clear():
    (offer,) = setup_offers.offers(URL, [endpoint("none", "None", "anonymous", "username")])
    assert offer.users == ("anonymous",)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("3", [3]),
        ("3,5,8-10", [3, 5, 8, 9, 10]),
        ("3、5 7;9", [3, 5, 7, 9]),
        ("2-4,3", [2, 3, 4]),
        ("temperature", None),
        ("zone 1", None),
        ("", None),
    ],
)
def test_numbers_and_ranges_are_read_and_anything_else_is_a_name(typed, found):
    assert setup_listing.numbers(typed, 12) == found


@pytest.mark.parametrize("typed", ["0", "13", "5-3", "1,99"])
def test_a_number_that_is_not_in_the_list_is_refused(typed):
    with pytest.raises(ValueError, match="not in the list"):
        setup_listing.numbers(typed, 12)


def row(path, *, node="s=x", part="", unit="", ok=True):
    return {
        "kind": "value", "name": path.rpartition("/")[2], "path": path, "unit": unit, "type": "",
        "address": f"nsu={OVEN};{node}", "part": part, "value": "7", "ok": ok,
    }  # fmt: skip


def test_names_come_from_browse_names_and_take_their_folder_where_they_are_alike():
    rows = [
        row("Oven/Zone 1/Temperature"),
        row("Oven/nsu=http:&/&/x;Zone 2/Temperature"),
        row("Oven/OilLevel"),
    ]
    assert setup_names.proposed(rows) == ["zone_1_temperature", "zone_2_temperature", "oil_level"]
    same = [row("A/温度"), row("A/温度"), row("A/Zones", part="[2]")]
    assert setup_names.proposed(same) == ["a", "a_2", "zones_2"]
    assert setup_names.device_name(rows, "PLC") == "oven"
    assert setup_names.device_name([row("A/x"), row("B/x")], "S7 1500") == "s7-1500"


def test_names_and_units_are_changed_as_typed_and_stay_unique():
    named = [("a", ""), ("b", "bar")]
    assert setup_names.changed("2=oil_temperature", named)[1] == ("oil_temperature", "bar")
    assert setup_names.changed("2 = c , Cel", named)[1] == ("c", "Cel")
    assert setup_names.changed("2=,°C", named)[1] == ("b", "Cel")
    assert setup_names.changed("2=,", named)[1] == ("b", "")
    for wrong in ("2=a", "3=x", "x", "1=A B", "1=Öl", "1=x,a b"):
        with pytest.raises(ValueError, match=r"\w"):
            setup_names.changed(wrong, named)


def test_a_node_named_by_a_number_takes_its_path_along_since_numbers_change():
    plain = setup_names.as_point(row("Oven/T"), "Cel")
    assert plain == {"address": f"nsu={OVEN};s=x", "unit": "Cel"}
    numbered = setup_names.as_point(row("Oven/T", node="i=1042", part="[1]"), "")
    assert numbered == {"address": {"at": f"nsu={OVEN};i=1042", "path": "Oven/T", "part": "[1]"}}


def test_the_way_back_up_leads_to_where_one_came_from():
    folder = {"kind": "folder", "name": "Oven", "path": "PLC/Oven"}
    view = View().after("1", [folder])
    assert (view.start, len(view.trail)) == ("PLC/Oven", 1)
    found = view.after("temp", [])
    assert found.contains == "temp"
    assert found.after("-", []).start == "PLC/Oven"
    assert found.after("-", []).after("-", []) == View()


def test_values_are_chosen_and_taken_back_and_dead_ones_cannot_be():
    rows = [row("A", node="s=a"), row("B", node="s=b"), row("C", node="s=c", ok=False)]
    both = View().after("1-2", rows)
    assert len(both.chosen) == 2
    assert len(both.after("1", rows).chosen) == 1
    for wrong in ("3", "1-3", "9", "", "0"):
        with pytest.raises(ValueError, match=r"\w"):
            View().checked(wrong, rows)


def test_certificates_are_at_their_usual_place_for_the_service_else_beside_the_configuration():
    assert setup.pki_of(Path("/etc/edge-agent")) == "/var/lib/edge-agent/pki"
    assert setup.pki_of(Path("/home/ada/try")) == "/home/ada/try/pki"


@pytest.fixture
def conversation(tmp_path):
    (kind,) = setup.kinds(home_of(tmp_path / "config.yaml"))
    return Conversation(kind)


def where(server):
    return f"127.0.0.1:{server.port}"


@pytest.mark.thorough
def test_an_encrypted_server_is_trusted_by_its_thumbprint_and_read_as_a_user(
    conversation, vault, tmp_path
):
    shown = Certificate.of(vault.certificate)
    conversation.says(
        {
            "host": where(vault),
            "user": "username",
            "username": "operator",
            "password": CANARY,
            "certificate": shown.sha1.lower(),
            "nodes.1": "temperature",
            "nodes.2": ["1"],
        }
    )
    settings, draft = conversation.link.settings, conversation.draft
    assert settings == {
        "url": vault.url,
        "pki": str(tmp_path / "pki"),
        "username": "operator",
        "password_file": str(tmp_path / "opcua-password"),
    }
    assert (tmp_path / "opcua-password").read_text() == CANARY
    assert draft.device == {"points": {"temperature": {"address": TEMPERATURE}}}
    assert draft.compared == {}  # nobody has looked at the oven
    assert ("operator", True) in vault.users
    assert [each.certificate for each in TrustStore(tmp_path / "pki").trusted] == [shown]
    told = dict(conversation.screens)
    assert " 1) encrypted and signed (Aes256_Sha256_RsaPss)" in told["security"]
    assert " ".join(shown.sha1[at : at + 8] for at in range(0, 40, 8)) in told["certificate"]
    assert CANARY not in str(conversation.interview.entries)
    assert connection_of("opcua", settings, {}, draft.device["points"])  # as `check` would


@pytest.mark.thorough
def test_less_than_encrypted_is_a_choice_that_is_asked_about_twice(conversation, vault):
    conversation.says({"host": where(vault), "security": "none"}, until="unprotected")
    assert "change numbers" in conversation.screen
    conversation.answer("protect")
    assert conversation.standing == "security"
    conversation.says({"security": "none", "unprotected": "accept"}, until="nodes.1")
    assert conversation.interview.entries[-1].seen["rows"][0]["name"] == "Temperature"


@pytest.mark.thorough
def test_another_certificate_than_was_trusted_is_told_of(conversation, vault, tmp_path):
    store = TrustStore(tmp_path / "pki")
    store.accept(Certificate.of(vault.certificate), f"127.0.0.1_{vault.port}_")
    vault.run(vault.show(certify("new"), rsa_key("new")))
    conversation.says({"host": where(vault)}, until="certificate")
    assert "CAREFUL" in conversation.screen
    with pytest.raises(ValueError, match="ask who it is"):
        conversation.answer("0" * 40)


@pytest.mark.thorough
def test_a_certificate_of_another_name_is_taken_by_that_name_once_it_is_confirmed(
    conversation, vault
):
    vault.run(vault.show(certify("plc", hosts=("PLC-7",)), rsa_key("plc")))
    conversation.says({"host": where(vault), "certificate": "trust", "nodes.1": "1"})
    assert conversation.link.settings["server_name"] == "PLC-7"
    assert "names: PLC-7" in dict(conversation.screens)["certificate"]


@pytest.mark.thorough
def test_a_certificate_that_has_ended_is_not_used_and_says_why(conversation, vault):
    vault.run(vault.show(certify("old", last=-0.5), rsa_key("old")))
    conversation.says({"host": where(vault)}, until="certificate.trouble")
    assert "ended on" in conversation.screen


@pytest.mark.thorough
def test_a_wrong_password_is_told_of_and_another_one_is_asked_for(conversation, vault):
    answers = {"user": "username", "username": "operator", "certificate": "trust"}
    conversation.says(
        {"host": where(vault), **answers, "password": "wrong"}, until="session.trouble"
    )
    assert "does not admit this user" in " ".join(conversation.screen.split())
    conversation.answer("change")
    conversation.says({**answers, "password": CANARY}, until="nodes.1")
    assert conversation.standing == "nodes.1"


@pytest.mark.thorough
def test_a_server_is_found_at_the_usual_ports_and_only_asked_for_its_endpoints(
    conversation, workshop, vault, monkeypatch
):
    workshop.rebuild()
    workshop.forget()
    ports = (1, workshop.port, vault.port)
    monkeypatch.setattr(setup_looks, "USUAL_PORTS", ports)
    conversation.says({"host": "127.0.0.1"}, until="server")
    channel = {"OpenSecureChannel", "CloseSecureChannel"}
    assert workshop.services.keys() - channel == {"GetEndpoints", "FindServers"}
    assert vault.url in conversation.screen
    conversation.says({"server": workshop.url, "security": "none"}, until="nodes.1")
    assert "Oven, page 1" in conversation.screen  # the only folder is gone into
    assert not workshop.services.keys() & CHANGING


def test_where_no_server_is_what_to_check_is_said(conversation, monkeypatch):
    monkeypatch.setattr(setup_looks, "USUAL_PORTS", (1, 2))
    conversation.says({"host": "127.0.0.1"}, until="server.trouble")
    assert "no OPC UA server at the ports 1, 2" in conversation.screen
    conversation.answer("change")
    assert conversation.standing == "host"
    conversation.says({"host": "127.0.0.1:1"}, until="server.trouble")
    assert "nothing listens at opc.tcp://127.0.0.1:1" in conversation.screen


@pytest.mark.thorough
def test_the_gateway_is_told_to_be_trusted_and_then_goes_on(
    conversation, workshop, tmp_path, gateway
):
    """node-opcua puts an unknown gateway aside, as most PLCs do."""
    workshop.rebuild(accept=False, **SECURE)
    conversation.says({"host": where(workshop), "certificate": "trust"}, until="session.trouble")
    own = read_chain((tmp_path / "pki" / "own" / "certificate.der").read_bytes())[0]
    assert f"  {own.sha1[:8]} {own.sha1[8:16]}" in conversation.screen
    assert "edge-agent" in conversation.screen
    workshop.trust()
    workshop.restart()
    conversation.says({"session.trouble": "again"}, until="nodes.1")
    assert conversation.interview.entries[-1].seen["problem"] == ""


@pytest.mark.thorough
def test_a_server_that_will_be_ready_later_takes_typed_node_ids(conversation, workshop):
    workshop.rebuild(accept=False, **SECURE)
    own = {"host": where(workshop), "certificate": "trust", "session.trouble": "later"}
    point = {"point.1.name": "temperature", "point.1.address": "nsu=u;s=T"}
    conversation.says({**own, **point, "point.1.trouble": "keep"})
    assert conversation.draft.device["points"]["temperature"]["address"] == {"at": "nsu=u;s=T"}


@pytest.mark.thorough
def test_a_tree_is_walked_by_numbers_and_searched_by_names(conversation, workshop):
    workshop.rebuild(deep=2, many=25)
    conversation.says(
        {
            "host": where(workshop),
            "security": "none",
            "nodes.1": "2",  # the folder Many
            "nodes.2": "+",
            "nodes.3": "9-12,14",
            "nodes.4": "pressure",
            "nodes.5": "1",
            "nodes.6": "-",
            "nodes.7": "-",
            "nodes.8": "0",
            "names.1": "6=oil_pressure",
        }
    )
    points = conversation.draft.device["points"]
    assert list(points) == ["v8", "v9", "v10", "v11", "v13", "oil_pressure"]
    assert points["oil_pressure"]["unit"] == "bar"
    told = dict(conversation.screens)
    assert "Many, page 2 of 3, 5 chosen" in told["nodes.4"]
    assert "Oven/Pressure" in told["nodes.5"]
    assert "1.25 bar" in told["names.1"]
    assert conversation.draft.compared == {}


@pytest.mark.thorough
def test_arrays_are_chosen_by_element_and_typed_ids_are_taken_as_they_stand(conversation, workshop):
    workshop.rebuild()
    conversation.says(
        {"host": where(workshop), "security": "none", "nodes.1": "zones"}, until="nodes.2"
    )
    assert "Zones [0]" in conversation.screen
    typed = "nsu=http://maker.example/oven;s=Oven.Temperature"
    conversation.says({"nodes.2": "2", "nodes.3": typed})
    points = conversation.draft.device["points"]
    assert points["zones_1"]["address"]["part"] == "[1]"
    assert typed in [point["address"] for point in points.values()]


@pytest.mark.thorough
def test_values_that_have_gone_are_left_out_on_demand(conversation, workshop):
    workshop.rebuild()
    conversation.says(
        {"host": where(workshop), "security": "none", "nodes.1": "1", "nodes.2": "1-2"},
        until="names.1",
    )
    workshop.remove("Pressure")
    conversation.says({"values.trouble": "leave"})
    assert "pressure: BadNodeIdUnknown" in dict(conversation.screens)["values.trouble"]
    assert list(conversation.draft.device["points"]) == ["temperature"]
