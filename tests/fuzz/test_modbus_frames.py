"""Hostile bytes for the Modbus framers: no exception, no memory, no value without a sound frame.

What is accepted is judged by an oracle that shares no code with the framers: the whole frame that
carries the value, made anew, must stand in the bytes that arrived since the request.
"""

import asyncio
from collections import Counter

import pytest
from edge_agent_modbus import ModbusAddress, ModbusDriver, ModbusSettings
from edge_agent_modbus.ascii import AsciiFramer
from edge_agent_modbus.framing import MOST_KEPT
from edge_agent_modbus.lost import Lost, LostRequests
from edge_agent_modbus.mbap import TcpFramer
from edge_agent_modbus.pdu import Refusal, Request, Table
from edge_agent_modbus.rtu import RtuFramer
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.driver import DriverError, Quality
from tests.rigs.modbus_device import with_crc
from tests.rigs.modbus_tcp import mbap
from tests.rigs.modbus_wire import TcpEnd, ascii_frame

pytestmark = pytest.mark.thorough

FRAMERS = {
    "rtu": RtuFramer,
    "tcp": TcpFramer,
    "tcp without numbers": lambda evidence: TcpFramer(evidence, numbered=False),
    "ascii": AsciiFramer,
}
every_framing = pytest.mark.parametrize("framing", FRAMERS)

requests = st.builds(
    Request,
    st.sampled_from([1, 2, 247, 255]),
    st.sampled_from(Table),
    st.integers(0, 65000),
    st.integers(1, 125),
)
# Pieces that hurt more than evenly spread bytes do: what frames begin with, and long runs.
noise = st.one_of(
    st.binary(max_size=40),
    st.binary(min_size=500, max_size=3000),
    st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 6, 0x83, 0x3A, 0x0D, 0x0A, 0x30, 0xFF])).map(bytes),
    st.tuples(
        st.sampled_from([b":", b"\x01\x03", b"\0\0\0", b":0103", b"\r\n"]), st.integers(1, 900)
    ).map(lambda pair: pair[0] * pair[1]),
)


def frame(framing: str, number: int, unit: int, pdu: bytes) -> bytes:
    if framing.startswith("tcp"):
        return mbap(number & 0xFFFF, unit, pdu)
    return with_crc(bytes((unit,)) + pdu) if framing == "rtu" else ascii_frame(unit, pdu)


@st.composite
def streams(draw, framing: str, request: Request, number: int) -> bytes:
    """Frames of every kind, right ones too, cut, bent, doubled and glued together."""
    wire = b""
    for _ in range(draw(st.integers(1, 5))):
        size = request.size + draw(st.sampled_from([0, 0, 0, 2, -2]))
        function = request.function ^ draw(st.sampled_from([0, 0, 0, 1, 0x80]))
        data = draw(st.binary(min_size=max(size, 0), max_size=max(size, 0)))
        unit = draw(st.sampled_from([request.unit, request.unit, 9]))
        pdu = bytes((function, max(size, 0) & 0xFF)) + data
        piece = frame(framing, number + draw(st.sampled_from([0, 0, 1, -1])), unit, pdu[:253])
        start = draw(st.sampled_from([0, 0, 0, 1, 3]))
        end = draw(st.sampled_from([None, None, -1, -3, 8]))
        piece = bytearray(piece[start:end])
        if piece and draw(st.integers(0, 3)) == 0:
            piece[draw(st.integers(0, len(piece) - 1))] ^= 1 << draw(st.integers(0, 7))
        wire += bytes(piece) + draw(st.sampled_from([b"", b"", b"\0", b"\xff\xff"]))
    return wire


def cut(data: st.DataObject, wire: bytes) -> list[bytes]:
    places = data.draw(st.lists(st.integers(0, len(wire)), max_size=6).map(sorted))
    return [wire[a:b] for a, b in zip([0, *places], [*places, len(wire)], strict=True)]


def stands_in(framing: str, number: int, request: Request, answer, wire: bytes) -> bool:
    """Tell whether the frame of an answer really arrived."""
    if isinstance(answer, Refusal):
        pdu = bytes((request.function | 0x80, answer.code))
    else:
        pdu = bytes((request.function, request.size)) + answer
    wanted = frame(framing, number, request.unit, pdu)
    if framing == "ascii":
        plain = bytes(byte & 0x7F for byte in wire).upper().replace(b"\r\n", b"\n")
        return wanted.replace(b"\r\n", b"\n") in plain
    return (wanted[2:] if framing == "tcp without numbers" else wanted) in wire


def judge(framing: str, request: Request, number: int, pieces: list[bytes]) -> None:
    framer = FRAMERS[framing](Counter())
    framer._number = number - 1
    framer.encode(request)
    answers = []
    for piece in pieces:
        answers.append(framer.feed(piece))
        assert len(framer._buffer) <= MOST_KEPT
    framer.reject()
    assert not framer._buffer
    given_ = [answer for answer in answers if answer is not None]
    assert len(given_) <= 1
    for answer in given_:
        assert isinstance(answer, Refusal) or len(answer) == request.size
        assert stands_in(framing, number, request, answer, b"".join(pieces))


@every_framing
def test_arbitrary_bytes_in_arbitrary_pieces(framing, examples):
    @examples
    @given(request=requests, number=st.integers(1, 0xFFFF), pieces=st.lists(noise, max_size=8))
    def check(request, number, pieces):
        judge(framing, request, number, pieces)

    check()


@every_framing
def test_bent_frames_in_arbitrary_pieces(framing, examples):
    @examples
    @given(data=st.data(), request=requests, number=st.integers(1, 0xFFFF))
    def check(data, request, number):
        judge(framing, request, number, cut(data, data.draw(streams(framing, request, number))))

    check()


@every_framing
def test_one_request_after_the_other_on_one_stream(framing, examples):
    """What one request leaves behind is never the answer to the next."""

    @examples
    @given(data=st.data(), asked=st.lists(requests, min_size=2, max_size=5))
    def check(data, asked):
        framer = FRAMERS[framing](Counter())
        for number, request in enumerate(asked, 1):
            framer.encode(request)
            since = b""
            for piece in cut(data, data.draw(streams(framing, request, number))):
                since += piece
                answer = framer.feed(piece)
                if answer is not None:
                    assert stands_in(framing, number, request, answer, since)
                assert len(framer._buffer) <= MOST_KEPT

    check()


def test_no_request_looks_like_a_lost_one_while_its_answer_is_possible(examples):
    @examples
    @given(asked=st.lists(st.tuples(requests, st.floats(0, 3), st.booleans()), max_size=40))
    def check(asked):
        lost, now, possible = LostRequests(), 0.0, {}
        for request, passed, is_answered in asked:
            now += passed
            variant = lost.variant(request, now)
            if variant is None:
                continue
            sent = variant.request
            look = (sent.unit, *sent.shape)
            assert possible.get(look, 0) <= now
            assert sent.offset <= request.offset
            assert sent.offset + sent.count >= request.offset + request.count
            data = bytes(byte % 251 for byte in range(sent.size))
            assert len(variant.cut(data, request)) == request.size
            if not is_answered:
                possible[look] = now + 10
                lost.note(look, Lost(sent, now, now + 10), now)

    check()


@pytest.mark.parametrize("transport", ["tcp", "rtu-over-tcp", "ascii-over-tcp"])
def test_a_whole_driver_is_fed_arbitrary_bytes(transport, examples):
    """Whatever comes back, a read ends, with bad samples or an error that the agent knows."""
    few = max(examples.max_examples // 30, 5)

    async def read(answers: list[bytes]) -> None:
        left = list(answers)
        end = TcpEnd(
            transport.partition("-")[0], lambda frame, send: send(left.pop() if left else b"")
        )
        await end.start()
        settings = {"transport": transport, **end.settings, "timeout": 0.005}
        driver = ModbusDriver(ModbusSettings(**settings))
        try:
            await driver.open()
            plan = driver.plan([ModbusAddress(offset=at) for at in (0, 1, 50)], {})
            for _ in range(3):
                try:
                    samples = await driver.read(plan)
                except DriverError:
                    continue
                assert samples.values == [None] * 3
                assert {flaw.quality for flaw in samples.flaws.values()} == {Quality.BAD}
        finally:
            await driver.close()
            await end.stop()

    with asyncio.Runner() as runner:

        @type(examples)(examples, max_examples=few)
        @given(answers=st.lists(noise, max_size=6))
        def check(answers):
            runner.run(read(answers))

        check()
