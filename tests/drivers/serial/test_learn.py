"""Three captured lines become a recipe that reads them, and nothing is made up."""

import asyncio
import functools
import json
import sys

import pexpect
import pytest
import yaml
from edge_agent_serial import library
from edge_agent_serial.checksums import ALGORITHMS, checksum
from edge_agent_serial.learn import as_yaml, learn
from edge_agent_serial.vectors import run

from edge_agent.cli import main
from tests.rigs.instrument import PtyInstrument, TcpInstrument

STABLE = [b"N +  12.34 kg", b"N +  12.36 kg", b"N -   1.30 kg"]


def framed(text: bytes, kind: str = "xor8", *, start: bytes = b"\x02", end: bytes = b"\x03"):
    """Write a frame with a checksum over everything after the start, the end included."""
    return start + text + end + checksum(kind, text + end)


def three(kind: str = "xor8") -> bytes:
    return b"".join(framed(text, kind) for text in STABLE)


def recipe_from(heard: bytes, *titles: str):
    """Learn, write, read again; all vectors must hold."""
    text = as_yaml(learn(heard).document("learnt", titles))
    recipe = library.parse(text, "learnt")
    assert all(result.holds for result in run(recipe)), list(run(recipe))
    return recipe


@pytest.mark.parametrize("kind", [k for k, a in ALGORITHMS.items() if a.size <= 2])
def test_three_frames_tell_start_end_and_checksum(kind):
    proposal = learn(three(kind))
    framing, found = proposal.cutting.framing, proposal.cutting.checksum
    assert (framing["start"], framing["end"]) == (b"\x02", b"\x03")
    assert framing["trailer"] == ALGORITHMS[kind].size
    carried = [checksum(found["kind"], text + b"\x03") for text in STABLE]
    assert carried == [checksum(kind, text + b"\x03") for text in STABLE]
    assert proposal.fields.values["value"] == ["+  12.34", "+  12.36", "-   1.30"]
    recipe = recipe_from(three(kind))
    assert [dict(v.fields)["value"] for v in recipe.vectors] == [12.34, 12.36, -1.3]


def test_a_damaged_frame_is_no_frame_for_the_learnt_recipe():
    recipe = recipe_from(three())
    from edge_agent_serial.engine import Engine

    engine = Engine(recipe)
    assert len(engine.feed(three())) == 3
    assert engine.feed(three()[:-1] + b"!")[2:] == []


def test_vectors_are_called_as_the_user_calls_them():
    recipe = recipe_from(three(), "display 12.34", "", "below zero")
    assert [vector.name for vector in recipe.vectors] == [
        "display 12.34",
        "captured 2",
        "below zero",
    ]


@pytest.mark.parametrize(
    ("lines", "end", "values", "unit"),
    [
        ([b"S S     100.00 g", b"S S     100.01 g", b"S S      98.0 g"], b"\r\n", 100.0, "g"),
        ([b"ST,GS,+  1.240kg", b"US,GS,+  1.241kg", b"ST,GS,+  1.245kg"], b"\r\n", 1.24, "kg"),
        ([b"01A+0000.1234", b"01A+0000.1235", b"01A-0000.1235"], b"\r", 0.1234, None),
        ([b"12,5 mm", b"12,7 mm", b"13,0 mm"], b"\n", 12.5, "mm"),
    ],
)
def test_lines_of_text_are_learnt_whatever_ends_them(lines, end, values, unit):
    recipe = recipe_from(b"".join(line + end for line in lines))
    first = recipe.vectors[0].fields
    assert first["value"] == values
    assert first.get("unit") == unit


def test_words_that_change_are_fields_and_those_that_do_not_are_doubts():
    proposal = learn(b"ST,GS,+  1.240kg\r\nUS,GS,+  1.241kg\r\nST,GS,+  1.245kg\r\n")
    assert set(proposal.fields.values) == {"value", "unit", "state"}
    assert any("GS never changed" in doubt for doubt in proposal.doubts)


def test_what_looks_different_is_shown_to_be_no_value():
    recipe = recipe_from(b"ST,+ 1.24kg\r\nST,+ 1.25kg\r\nOL\r\nST,+ 1.27kg\r\n")
    assert [vector.nothing for vector in recipe.vectors] == [False, False, True, False]


def test_a_line_that_began_before_is_left_out():
    recipe = recipe_from(b"40kg\r\nST,+ 1.24kg\r\nST,+ 1.25kg\r\nST,+ 1.27kg\r\n")
    assert len(recipe.vectors) == 3


def test_a_checksum_in_text_stands_before_the_end():
    def line(weight):
        text = f"WT,{weight:06.2f}"
        check = functools.reduce(lambda a, b: a ^ b, text.encode())
        return f"${text}*{check:02X}\r\n".encode()

    recipe = recipe_from(b"".join(map(line, (1.5, 2.75, 3.0))))
    assert recipe.checksum.kind == "xor8-hex"
    assert [vector.fields["value"] for vector in recipe.vectors] == [1.5, 2.75, 3.0]


def test_seven_bits_that_were_read_as_eight_are_noticed():
    heard = bytes(byte | (byte.bit_count() & 1) << 7 for byte in three() * 2)
    proposal = learn(heard)
    assert proposal.line["data_bits"] == 7
    assert proposal.line["parity"] == "even"
    assert proposal.cutting.checksum["kind"] == "xor8"


def test_numbers_that_nobody_can_be_sure_of_are_no_value():
    proposal = learn(b"W 1,234.5\r\nW 1,234.6\r\nW 1,235.0\r\n")
    assert proposal.fields is None
    comma = learn(b"12,5 mm\r\n12,7 mm\r\n13,0 mm\r\n")
    assert any("comma" in doubt for doubt in comma.doubts)


def test_known_families_are_recognised():
    lines = b"".join(b"S S %10.2f g\r\n" % weight for weight in (1.0, 2.0, 3.0))
    assert learn(lines, [library.load("mt-sics")]).known == ("mt-sics",)
    assert learn(three(), [library.load("mt-sics")]).known == ()


@pytest.mark.parametrize("heard", [b"", b"\x00\xff" * 50, b"hello\r\n", bytes(range(256)) * 3])
def test_noise_teaches_nothing(heard):
    proposal = learn(heard)
    assert proposal.cutting is None or proposal.fields is None or proposal.doubts
    if proposal.fields is None:
        with pytest.raises(ValueError, match="capture more"):
            proposal.document("x")


async def command(*words):
    return await asyncio.to_thread(main, ["recipe", "learn", *words])


async def test_a_file_becomes_a_recipe_file(tmp_path, capfd):
    capture, recipe = tmp_path / "capture.bin", tmp_path / "bench-scale.yaml"
    capture.write_bytes(three())
    words = (str(capture), "--output", str(recipe), "--name", "12.34 on the display", "--json")
    assert await command(*words) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["frames"] == 3
    assert found["recipe"]["checksum"]["kind"] == "xor8"
    written = yaml.safe_load(recipe.read_text())
    assert written["name"] == "bench-scale"
    assert written["vectors"][0]["name"] == "12.34 on the display"
    assert await asyncio.to_thread(main, ["recipe", "test", str(recipe)]) == 0
    assert await command(*words) == 2, "a file that is there is kept"


async def test_hex_lines_are_read_as_well(tmp_path, capfd):
    capture = tmp_path / "capture.txt"
    capture.write_text("".join(f"hex:{framed(text).hex(' ')}\n" for text in STABLE))
    assert await command(str(capture)) == 0
    assert "value: +  12.34, +  12.36, -   1.30" in capfd.readouterr().out


async def test_a_port_is_listened_to_and_its_lines_are_shown(capfd):
    scale = PtyInstrument()
    try:
        scale.stream(b"ST,+ 1.24kg\r\nST,+ 2.51kg\r\n", every=0.02)
        assert await command(scale.port, "--seconds", "0.3") == 0
        assert scale.requests == []
    finally:
        await scale.cut()
    shown = capfd.readouterr().out
    assert "ST,+ 1.24kg" in shown
    assert "frames without a checksum" in shown


async def test_what_is_not_there_is_said(capfd):
    assert await command("/dev/ttyNONE") == 4
    assert "there is no such port" in capfd.readouterr().err
    assert await command() == 2
    assert await command("tcp://127.0.0.1:x") == 2


async def test_silence_is_said(capfd):
    tcp = TcpInstrument()
    await tcp.listen()
    try:
        assert await command(f"tcp://127.0.0.1:{tcp.port}", "--seconds", "0.05", "--json") == 4
    finally:
        await tcp.cut()
    assert "nothing was heard" in json.loads(capfd.readouterr().out)["doubts"][0]


@pytest.mark.thorough
async def test_captured_lines_are_named_at_the_terminal(tmp_path):
    capture, recipe = tmp_path / "capture.bin", tmp_path / "bench-scale.yaml"
    capture.write_bytes(three())
    words = ["-m", "edge_agent", "recipe", "learn", str(capture), "--output", str(recipe)]
    terminal = pexpect.spawn(sys.executable, words, encoding="utf-8", timeout=60)
    for answer in ("full pallet", "", "below zero"):
        terminal.expect(r"b'.*': ")
        terminal.sendline(answer)
    terminal.expect("wrote .*bench-scale.yaml")
    terminal.expect(pexpect.EOF)
    names = [vector["name"] for vector in yaml.safe_load(recipe.read_text())["vectors"]]
    assert names == ["full pallet", "captured 2", "below zero"]
