import pytest
from edge_agent_serial.checksums import Checksum
from edge_agent_serial.framer import Framer
from edge_agent_serial.framing import LONGEST, Framing
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

LINE = {"kind": "line"}
STX = {"kind": "start-end", "start": r"\x02", "end": r"\x03"}
CHECKED = STX | {"trailer": 1, "checksum": {"kind": "xor8", "from": 1}}
TOLEDO = {
    "kind": "start-end",
    "start": r"\x02",
    "end": r"\r",
    "trailer": 1,
    "trailer_optional": True,
    "longest": 18,
    "checksum": {"kind": "neg-sum7", "optional": True},
}
METER = {
    "kind": "length",
    "sync": "hex:68",
    "length_at": 9,
    "overhead": 12,
    "longest": 64,
    "marks": [{"at": 7, "bytes": "hex:68"}, {"at": -1, "bytes": "hex:16"}],
    "checksum": {"kind": "sum8", "to": -2, "at": -2},
}
FIXED = {"kind": "fixed", "sync": "=", "length": 9}
SILENCE = {"kind": "silence", "gap": "20ms", "longest": 64}


def framer(*framings, from_the_middle=False):
    made = [TypeAdapter(Framing).validate_python(framing) for framing in framings]

    def verify(cut, framing):
        checksum = framing.checksum or Checksum(kind="none")
        return (not cut.has_trailer and checksum.optional) or checksum.holds(cut.raw, {})

    return Framer(made, verify, from_the_middle=from_the_middle)


def bodies(hunter, data):
    return [cut.body for cut in hunter.feed(data)]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\x03"])
def test_cr_lf_both_or_etx_end_a_line(end):
    hunter = framer(LINE)
    found = [cut for cut in hunter.feed(b"12.3" + end + b"\x0212.4" + end + b"12") if cut.raw]
    assert [cut.body for cut in found] == [b"12.3", b"12.4"]
    assert hunter.unfinished


def test_an_end_of_its_own_is_the_only_end():
    assert bodies(framer(LINE | {"end": r"\r\n"}), b"a\rb\nc\r\nd") == [b"a\rb\nc"]


def test_the_first_line_is_dropped_when_it_began_before_we_listened():
    hunter = framer(LINE, from_the_middle=True)
    assert [body for body in bodies(hunter, b"2.3kg\r\n12.4kg\r\n") if body] == [b"12.4kg"]


def test_an_end_that_comes_in_two_pieces_ends_what_is_dropped():
    hunter = framer(LINE | {"end": r"\r\n"}, from_the_middle=True)
    assert bodies(hunter, b"2.3kg\r") == []
    assert bodies(hunter, b"\n12.4kg\r\n") == [b"12.4kg"]


def test_an_overlong_line_is_counted_once_and_the_next_one_is_read():
    hunter = framer(LINE)
    lines = [line for _ in range(1000) for line in bodies(hunter, b"x" * 100)]
    lines += [line for line in bodies(hunter, b"\r\n12\r\n") if line]
    assert lines == [b"12"]
    assert hunter.counts["overlong"] == 1


def test_a_line_is_complete_up_to_the_limit_and_not_beyond():
    hunter = framer(LINE)
    assert [len(line) for line in bodies(hunter, b"x" * 256 + b"\n")] == [256]
    assert bodies(hunter, b"x" * 257 + b"\n") == []
    assert hunter.counts["overlong"] == 1


def test_a_frame_that_lost_its_end_costs_only_itself():
    hunter = framer(STX)
    assert bodies(hunter, b"noise\x02lost\x02kept\x03") == [b"kept"]
    assert hunter.counts["damaged"] == 1


def test_a_start_may_be_allowed_inside():
    assert bodies(framer(STX | {"start_inside": True}), b"\x02a\x02b\x03") == [b"a\x02b"]


def test_a_wrong_checksum_is_no_frame_and_the_next_is():
    hunter = framer(CHECKED)
    assert bodies(hunter, b"\x0212\x03\x01\x0212\x03\x00") == [b"12"]
    assert hunter.counts["damaged"] == 1


SHORT = bytes.fromhex("022A30203030303132330D")


def test_an_optional_checksum_is_waited_for_and_must_be_right_where_it_is():
    hunter = framer(TOLEDO)
    assert bodies(hunter, SHORT) == []  # its checksum may still come
    assert [cut.raw for cut in hunter.silence()] == [SHORT]
    right = SHORT + bytes([-sum(SHORT) & 0x7F])
    assert [cut.raw for cut in hunter.feed(right)] == [right]
    assert [cut.raw for cut in hunter.feed(SHORT + b"\x7f")] == []
    assert hunter.counts["damaged"] == 1


def test_without_checksum_the_next_frame_follows_at_once():
    hunter = framer(TOLEDO)
    found = [cut.raw for cut in hunter.feed(SHORT * 3)]
    assert found == [SHORT] * 2
    assert [cut.raw for cut in hunter.silence()] == [SHORT]
    assert not hunter.counts


def test_frames_that_say_their_length_are_found_between_noise():
    # captured on a bus of smart plugs, DL/T 645-1997
    data = bytes.fromhex(
        "567B166820110602415668810643C333333333F916682011122106366 8C503E904567B16".replace(" ", "")
    )
    assert [cut.raw[0:1] + cut.raw[-1:] for cut in framer(METER).feed(data)] == [b"\x68\x16"] * 2
    two = bytes.fromhex("6820110602415668810643C333333333F916") * 2
    assert len(list(framer(METER).feed(b"\x68" + two))) == 2


def test_a_false_start_does_not_hide_what_follows_once_waiting_is_over():
    frame = bytes.fromhex("6820110602415668810643C333333333F916")
    hunter = framer({**METER, "marks": []})
    data = bytes.fromhex("68000000000000000030") + frame  # a start and a length of 48
    assert list(hunter.feed(data)) == []
    assert [cut.raw for cut in hunter.silence()] == [frame]


def test_a_frame_inside_something_like_a_frame_is_found():
    frame = bytes.fromhex("6820110602415668810643C333333333F916")
    around = bytes.fromhex("68000000000000688114") + frame + bytes.fromhex("00000016")
    hunter = framer(METER)
    assert [cut.raw for cut in hunter.feed(around)] == [frame]
    assert hunter.counts["damaged"] == 1


def test_text_lengths_are_read_and_others_are_damage():
    digits = {"kind": "length", "sync": "#", "length_at": 1, "length_size": 2, "overhead": 3}
    hunter = framer(digits | {"length_form": "digits"})
    assert [cut.body for cut in hunter.feed(b"#0x#03abc")] == [b"03abc"]
    assert hunter.counts["damaged"] == 1
    low_first = {**digits, "length_form": "uintle"}
    assert [cut.raw for cut in framer(low_first).feed(b"#\x02\x00ab")] == [b"#\x02\x00ab"]


def test_equally_long_frames_are_found_by_what_they_begin_with():
    assert bodies(framer(FIXED), b"00=03.2100-=03.2200-=0") == [b"03.2100-", b"03.2200-"]


def test_silence_ends_a_frame_where_nothing_else_does():
    hunter = framer(SILENCE)
    assert bodies(hunter, b"\x01\x03\x02") == []
    assert [cut.raw for cut in hunter.silence()] == [b"\x01\x03\x02"]
    assert bodies(hunter, b"x" * 65) == []
    assert list(hunter.silence()) == []
    assert hunter.counts["overlong"] == 1
    assert bodies(hunter, b"ok") == []
    assert [cut.raw for cut in hunter.silence()] == [b"ok"]


def test_a_family_may_have_several_kinds_of_frames():
    nak = {"kind": "fixed", "sync": r"\x15", "length": 3}
    assert bodies(framer(STX, nak), b"\x02ok\x03\x15no\x02ok\x03") == [b"ok", b"no", b"ok"]


def test_a_misread_character_costs_its_frame():
    for framing, data in ((LINE, b"12.4\r\n"), (STX, b"\x0212.4\x03")):
        hunter = framer(framing)
        assert bodies(hunter, data[:3]) == []
        hunter.spoil()
        assert [body for body in bodies(hunter, data[3:] + data) if body] == [b"12.4"]
        assert hunter.counts["damaged"] == 1


@pytest.mark.parametrize(
    ("framing", "advice"),
    [
        ({"kind": "line", "end": ""}, "at least 1"),
        ({"kind": "lines"}, "line"),
        ({**STX, "longest": LONGEST + 1}, "4096"),
        ({**STX, "start": 2}, "quotes"),
        ({**STX, "start": "hex:2"}, "pairs of hex digits"),
        ({**STX, "start": "€"}, "no byte"),
        ({**STX, "ende": "x"}, "ende"),
    ],
)
def test_framings_that_cannot_work_are_refused_with_advice(framing, advice):
    with pytest.raises(ValidationError, match=advice):
        TypeAdapter(Framing).validate_python(framing)


@given(
    st.sampled_from([LINE, STX, CHECKED, TOLEDO, METER, FIXED, LINE | {"end": r"\r\n"}]),
    st.lists(
        st.one_of(
            st.binary(max_size=300),
            st.sampled_from([SHORT, b"\x0212\x03\x00", b"=03.2100-", b"12\r\n", b"\x68" * 30]),
        ),
        max_size=8,
    ),
    st.lists(st.integers(1, 300), max_size=30),
)
def test_pieces_make_no_difference_and_memory_is_bounded(framing, parts, cuts):
    data = b"".join(parts)
    whole, pieces = framer(framing), framer(framing)
    expected = [cut.raw for cut in whole.feed(data)]
    found = []
    for cut in [*cuts, len(data)]:
        found += [frame.raw for frame in pieces.feed(data[:cut])]
        data = data[cut:]
        assert len(pieces._rest) <= LONGEST
    assert [raw for raw in found if raw] == [raw for raw in expected if raw]
