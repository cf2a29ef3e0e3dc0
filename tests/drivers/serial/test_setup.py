"""The serial part of the wizard, spoken with instruments on real pseudo-terminals."""

import pytest
from edge_agent_serial import (
    SerialSettings,
    library,
    setup,
    setup_asking,
    setup_evidence,
    setup_fields,
    setup_hearing,
    setup_way,
)
from edge_agent_serial.learn import learn, plain
from edge_agent_serial.setup_learning import write_recipe

from edge_agent.setup.draft import checked, connection_of
from edge_agent.setup.question import Quiet
from edge_agent.setup.session import home_of
from tests.rigs.conversation import Conversation
from tests.rigs.small_file import small_files
from tests.rigs.talking_scale import talking

STEADY = b"ST,GS,+  12.350kg\r\n"
MOVING = b"US,GS,+  11.870kg\r\n"


@pytest.fixture(autouse=True)
def short_patience(monkeypatch):
    """Instruments of these tests are quick."""
    monkeypatch.setattr(setup_hearing, "FIRST", 0.5)
    monkeypatch.setattr(setup_hearing, "EACH", 0.3)
    monkeypatch.setattr(setup_asking, "PATIENCE", 0.06)
    monkeypatch.setattr("edge_agent_serial.setup_instrument.PRESSED", 1.5)
    monkeypatch.setattr("edge_agent_serial.setup_learning.SECONDS", 0.5)


@pytest.fixture
def conversation(tmp_path):
    (kind,) = setup.kinds(home_of(tmp_path / "config.yaml"))
    return Conversation(kind)


def at(port, **more):
    return {"transport": "serial", "port": port, **more}


def judged(*lines):
    return setup_evidence.judge(b"".join(lines))


def test_evidence_tells_text_from_noise_and_a_family_from_any_other():
    known = judged(STEADY, MOVING, STEADY, STEADY)
    assert known.is_convincing
    assert known.recipes[0] == "and-standard"
    plain = judged(b"12.5\r\n", b"12.6\r\n")
    assert plain.is_convincing
    assert plain.recipes == ()
    noise = setup_evidence.judge(bytes(range(128, 250)) * 2)
    assert not noise.is_convincing
    assert not setup_evidence.judge(STEADY * 4, misread=3).is_convincing


def test_a_reading_is_the_last_number_that_stood_still():
    (one,) = setup_evidence.readings(STEADY * 2 + MOVING, ["and-standard"])
    assert (one.field, one.value, one.unit, one.why) == ("weight", "12.35", "kg", "")


@pytest.mark.parametrize(
    ("display", "found"),
    [
        ("12.35", 1.0),
        ("12,350", 1.0),
        ("1.235", 0.1),
        ("12", 1.0),
        ("1.2", None),
        ("12350", 1000.0),
        ("99", None),
        ("", None),
    ],
)
def test_the_number_of_the_display_is_found_also_with_its_point_elsewhere(display, found):
    recipe = library.load("and-standard")
    matches = setup_evidence.matches(display, STEADY * 2, [recipe])
    assert (matches[0].scale if matches else None) == found


def test_what_may_be_asked_without_knowing_more_are_reading_requests_alone():
    asked = {}
    for recipe in library.shipped():
        field = setup_asking.asked_field(recipe, {})
        if field and recipe.requests:
            asked[recipe.name] = setup_asking.request_for(recipe, field, {})
    assert asked["mt-sics"] == b"SI\r\n"
    assert asked["and-standard"] == b"Q\r\n"
    assert asked["sartorius-sbi"] == b"\x1bP\r\n"
    guessed = {recipe.name for recipe in library.shipped() if setup_asking.can_be_guessed(recipe)}
    assert {"mt-sics", "and-standard", "sartorius-sbi"} <= guessed
    assert not guessed & {"dlt645-2007", "omron-compoway-f", "haas-mdc", "iec62056-21"}
    assert "omron-host-link" not in asked  # which register is for people to say
    assert setup_asking.needed(library.load("dlt645-2007")) == ["meter"]
    assert setup_asking.needed(library.load("omron-host-link")) == []
    assert setup_asking.told_request(b"\x1bP\r\n") == "ESC P"


def test_ranges_of_fields_are_read_and_what_is_none_is_refused():
    assert setup_fields.numbers("1,3-5", 6) == [1, 3, 4, 5]
    for wrong in ("", "x", "0", "7", "5-3"):
        with pytest.raises(ValueError, match="Write numbers"):
            setup_fields.numbers(wrong, 6)


def test_a_scale_that_sends_is_recognised_and_its_weight_compared(conversation):
    with talking(STEADY, STEADY, MOVING) as scale:
        conversation.says(at(scale.port, recipe="and-standard"))
    told = dict(conversation.screens)
    assert "ST,GS,+  12.350kg" in told["recipe"]
    assert "kg what the display shows?" in told["recipe"]
    assert conversation.link.settings == {
        **at(scale.port),
        "baud": 9600,
        "data_bits": 8,
        "parity": "none",
        "stop_bits": 1,
        "recipe": "and-standard",
    }
    assert conversation.draft.device == {
        "points": {"weight": {"address": {"field": "weight"}, "unit": "kg"}}
    }
    assert conversation.draft.compared["weight"].endswith(" kg")
    assert scale.requests == []  # nothing was ever sent
    assert connection_of(
        "serial", conversation.link.settings, {}, conversation.draft.device["points"]
    )


def test_enter_does_not_say_that_a_display_was_looked_at(conversation):
    with talking(STEADY, STEADY) as scale:
        conversation.says(at(scale.port), until="recipe")
        assert conversation.interview.question.default is None


def test_the_speed_is_found_by_what_is_heard(conversation):
    with talking(STEADY, baud=2400) as scale:
        conversation.says(at(scale.port, recipe="and-standard"))
    assert conversation.link.settings["baud"] == 2400
    assert conversation.draft.compared == {"weight": "12.35 kg"}


@pytest.mark.thorough
def test_seven_bits_with_parity_are_noticed(conversation):
    even = bytes(byte | (0x80 if byte.bit_count() % 2 else 0) for byte in STEADY)
    with talking(even) as scale:
        conversation.says(at(scale.port, recipe="and-standard"))
    # a pseudo-terminal cannot do 7 bits, so the eighth is masked instead
    assert conversation.link.settings["mask7"] is True
    assert conversation.draft.compared == {"weight": "12.35 kg"}


def test_a_number_without_its_point_is_scaled_as_the_display_says(conversation):
    with talking(b"  12350\r\n", b"  12350\r\n") as scale:
        conversation.says(at(scale.port, recipe="other", display="12.350"))
    assert conversation.link.settings["recipe"] == "generic-line"
    (point,) = conversation.draft.device["points"].values()
    assert point == {"address": {"field": "value"}, "scale": 0.001}
    assert conversation.draft.compared == {"value": "12.350"}  # as it was typed


def test_lines_that_no_recipe_knows_are_learnt_and_kept_beside_the_configuration(
    conversation, tmp_path
):
    lines = [b"L1 T:%d.5 H:4%d OK\r\n" % (number, number % 3) for number in range(17, 27)]
    with talking(*lines, every=0.02) as scale:
        conversation.says(at(scale.port), until="recipe")
        assert "No known instrument speaks like this" in conversation.screen
        conversation.says({"recipe": "other", "display": "21.5", "fields.1": "1"})
        recipe = tmp_path / "recipes" / "learnt.yaml"
        assert conversation.link.settings["recipe"] == str(recipe)
        points = conversation.draft.device["points"]
        assert connection_of("serial", conversation.link.settings, {}, points)
    assert list(conversation.draft.compared) == ["value"]


def nmea(body):
    check = 0
    for byte in body:
        check ^= byte
    return b"$%s*%02X\r\n" % (body, check)


@pytest.mark.parametrize(
    ("lines", "display", "recipe", "field"),
    [
        (
            [b"12:30;181,5;OK\r\n"],
            "181.5",
            {"recipe": "generic-delimited", "columns": 3},
            "column.2",
        ),
        (
            [nmea(b"WIMWV,084.0,R,10.4,N,A"), nmea(b"WIXDR,C,21.5,C,TEMP")],
            "10.4",
            {"recipe": "nmea-0183", "sentence": "WIMWV"},
            "WIMWV.3",
        ),
    ],
)
def test_columns_are_named_by_their_place_in_their_kind_of_line(
    conversation, lines, display, recipe, field
):
    with talking(*lines) as scale:
        conversation.says(at(scale.port, recipe="other", display=display))
    assert recipe.items() <= conversation.link.settings.items()
    (point,) = conversation.draft.device["points"].values()
    assert point == {"address": {"field": field, "type": "number"}}
    assert list(conversation.draft.compared.values()) == [display]
    assert conversation.asked.count("fields.trouble") == 0


@pytest.mark.thorough
def test_a_number_that_is_nowhere_is_said_to_be_nowhere(conversation):
    with talking(STEADY) as scale:
        conversation.says(at(scale.port, recipe="other", display="777"), until="display.trouble")
        assert "777 does not occur" in conversation.screen


def test_a_silent_instrument_is_asked_only_after_consent_and_only_what_reads(conversation):
    with talking() as scale:
        scale.answer = {b"SI\r\n": b"S S     12.350 kg\r\n", b"I4\r\n": b'I4 A "7"\r\n'}.get
        conversation.says(at(scale.port, silent="ask"), until="asked")
        assert scale.requests == []
        assert "SI" in conversation.screen
        conversation.says({"asked": "all", "answered": "yes"})
    assert conversation.link.settings["recipe"] == "mt-sics"
    assert conversation.draft.device["points"]["weight"]["unit"] == "kg"
    assert conversation.draft.compared["weight"] == "12.35 kg"
    known = {
        setup_asking.request_for(recipe, name, {})
        for recipe in library.shipped()
        for name in recipe.field_names()
    }
    assert set(scale.requests) <= known


@pytest.mark.thorough
def test_an_instrument_that_is_named_is_asked_alone_at_any_usual_speed(conversation):
    with talking(baud=4800) as scale:
        scale.answer = lambda sent: b"ST,+00012.35 kg\r\n" if sent == b"Q\r\n" else None
        conversation.says(at(scale.port, silent="ask", asked="and-standard", answered="yes"))
    assert set(scale.requests) == {b"Q\r\n"}
    assert conversation.link.settings["baud"] == 4800
    assert conversation.link.settings["mode"] == "poll"


@pytest.mark.thorough
def test_a_meter_is_asked_by_its_number(conversation):
    with talking() as scale:
        conversation.says(at(scale.port, silent="ask", asked="dlt645-2007"), until="meter")
        assert "number on the meter, 12 digits" in conversation.screen
        conversation.says({"meter": "12345"}, until="asked.trouble")
        assert "Nobody answered" in conversation.screen
        assert all(b"\x68\x45\x23\x01\x00\x00\x00\x68\x11" in sent for sent in scale.requests)
        scale.answer = meter_of_26
        conversation.says({"asked.trouble": "again", "answered": "yes"})
    device = conversation.draft.device
    assert device["address"] == {"meter": "12345"}
    assert conversation.draft.compared["energy_total"] == "0.26"


def meter_of_26(sent):
    """Answer for each item with the number 26. Source: DL/T 645-2007, 5.2 (frame), 7.1 (read)."""
    start = sent.index(b"\x68")
    meter, control = sent[start + 1 : start + 7], sent[start + 8]
    said = meter if control == 0x13 else b"\x26\0\0\0"
    item = b"" if control == 0x13 else sent[start + 10 : start + 14]
    data = item + bytes((byte + 0x33) % 256 for byte in said)
    frame = b"\x68" + meter + b"\x68" + bytes((control | 0x80, len(data))) + data
    return frame + bytes((sum(frame) % 256, 0x16))


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("line", "recipe", "points"),
    [
        (STEADY, "and-standard", ["weight"]),
        (b"4006381333931\r\n", "code-reader", ["code"]),
    ],
)
def test_one_that_sends_when_a_key_is_pressed_brings_events(conversation, line, recipe, points):
    with talking() as scale:
        conversation.says(at(scale.port), until="silent")
        assert "cable in (TX to RX" in conversation.screen
        scale.lines = [line]
        conversation.says({"silent": "press", "recipe": recipe})
    assert checked(SerialSettings, conversation.link.settings).mode == "event"
    assert list(conversation.draft.device["points"]) == points


def test_a_line_that_cannot_be_opened_says_why(conversation):
    conversation.says(at("/dev/ttyUSB977"), until="listen.trouble")
    assert "there is no such port" in " ".join(conversation.screen.split())


def test_everything_can_be_typed_by_those_who_know(conversation):
    with talking(STEADY) as scale:
        conversation.says(
            at(
                scale.port,
                recipe="typed",
                pattern=r"ST,GS,(?P<weight>[+ \d.]+)kg",
                **{"point.1.name": "weight", "point.1.next": "done"},
            )
        )
    assert conversation.draft.compared == {"weight": "12.35"}


@pytest.mark.thorough
def test_a_converter_is_found_at_the_usual_ports(conversation, monkeypatch, tcp_scale):
    monkeypatch.setattr(setup_way, "CONVERTERS", (1, tcp_scale))
    conversation.says({"transport": "tcp", "host": "127.0.0.1", "recipe": "and-standard"})
    assert conversation.link.settings == {
        "transport": "tcp", "host": "127.0.0.1", "port": tcp_scale, "recipe": "and-standard",
    }  # fmt: skip
    assert conversation.draft.compared == {"weight": "12.35 kg"}


@pytest.mark.thorough
def test_a_search_shows_that_it_goes_on(monkeypatch):
    shown = []

    class Watched(Quiet):
        def at(self, doing, done, total):
            shown.append((doing, done < total))

    with talking(STEADY, baud=2400) as scale:
        found = setup_hearing.listen(at(scale.port), Watched())
    assert found["line"]["baud"] == 2400
    assert ("2400 8N1", True) in shown


@pytest.fixture
def tcp_scale():
    """A converter with a scale that sends, in a thread; gives its port."""
    import socket
    import threading

    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            caller, _address = listener.accept()
            with caller:
                try:
                    while not stop.wait(0.05):
                        caller.sendall(STEADY)
                except OSError:  # it hung up
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    stop.set()
    socket.create_connection(listener.getsockname()).close()
    thread.join(2)
    listener.close()


def test_a_recipe_that_finds_no_room_leaves_no_part_of_it(tmp_path):
    document = learn(b"NET 12.35 kg\r\nNET 12.40 kg\r\nNET 13.05 kg\r\n" * 4).document(
        "learnt", source="setup"
    )
    with small_files(most=20):
        done = write_recipe(plain(document), tmp_path)
    assert "File too large" in done["problem"]
    assert list((tmp_path / "recipes").iterdir()) == []
    assert write_recipe(plain(document), tmp_path) == {
        "file": str(tmp_path / "recipes" / "learnt.yaml"),
        "problem": "",
    }
