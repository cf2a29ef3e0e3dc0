"""Single values: durations, sizes, names, URLs, deadbands."""

from typing import Any

import pytest

from edge_agent.config import values
from edge_agent.config.model import Deadband
from edge_agent.config.scalars import WrittenInt
from edge_agent.quantities import seconds, size


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("200ms", 0.2),
        ("1s", 1.0),
        ("1.5 s", 1.5),
        ("5m", 300.0),
        ("8h", 28800.0),
        ("30d", 2592000.0),
        (2, 2.0),
        (0.25, 0.25),
        (WrittenInt(1, "01"), 1.0),
    ],
)
def test_a_duration_becomes_seconds(written: Any, meaning: float) -> None:
    assert seconds(written) == pytest.approx(meaning, abs=0)
    assert type(seconds(written)) is float


@pytest.mark.parametrize(
    "written",
    ["", "1", "s", "1 day", "1S", "-1s", "1e3s", "1s\n", "٣s", -1, True, None, [], 10**400,
     float("nan"), float("inf"), "9" * 400 + "s"],
)  # fmt: skip
def test_what_is_no_duration_is_refused_with_an_example(written: Any) -> None:
    with pytest.raises(ValueError, match="is not a duration; write one like 200ms"):
        seconds(written)


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("64KiB", 65536),
        ("1GiB", 1 << 30),
        ("1.5 MiB", 1572864),
        ("10B", 10),
        (4096, 4096),
        (8.0, 8),
    ],
)
def test_a_size_becomes_bytes(written: Any, meaning: int) -> None:
    assert size(written) == meaning
    assert type(size(written)) is int


@pytest.mark.parametrize("written", ["1GB", "1 gib", "-1KiB", 1.5, -1, True, None, "64"])
def test_what_is_no_size_is_refused_with_an_example(written: Any) -> None:
    with pytest.raises(ValueError, match="is not a size; write one like 64KiB"):
        size(written)


@pytest.mark.parametrize("name", ["a", "0", "press-1", "oil_temperature", "a" * 64])
def test_a_name_is_taken_as_it_is(name: str) -> None:
    assert values.name(name) == name


@pytest.mark.parametrize(
    ("name", "proposal"),
    [
        ("Press 1", "write 'press-1'"),
        ("_agent", "write 'agent'"),
        ("a/b", "write 'a-b'"),
        ("a\n", "write 'a'"),
        ("a" * 65, f"write '{'a' * 64}'"),
        ("冲床", "write small letters"),
        ("", "write small letters"),
        ("+", "write small letters"),
    ],
)
def test_what_is_no_name_is_refused_with_one_that_is(name: str, proposal: str) -> None:
    with pytest.raises(ValueError, match="cannot be a name") as caught:
        values.name(name)
    assert proposal in str(caught.value)


def test_a_site_has_up_to_three_levels() -> None:
    assert values.site("shaoxing/hall-3/line_1") == "shaoxing/hall-3/line_1"
    for wrong in ("a/b/c/d", "a//b", "/a", "a/", "a/#", ""):
        with pytest.raises(ValueError, match=r"levels|cannot be a name"):
            values.site(wrong)


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("mqtt://broker", ("broker", 1883, False, None)),
        ("mqtts://broker/", ("broker", 8883, True, None)),
        ("ws://broker", ("broker", 80, False, "/mqtt")),
        ("wss://broker:8084/path/x", ("broker", 8084, True, "/path/x")),
        ("mqtt://10.0.0.5:2883", ("10.0.0.5", 2883, False, None)),
        ("mqtts://[fe80::1]:1", ("fe80::1", 1, True, None)),
    ],
)
def test_a_url_says_where_the_broker_listens(written: str, meaning: Any) -> None:
    assert values.broker_url(written) == meaning


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("broker:1883", "begin it with mqtt://"),
        ("broker", "begin it with mqtt://"),
        ("tcp://broker", "write mqtt://"),
        ("ssl://broker", "write mqtts://"),
        ("https://broker", "write wss://"),
        ("ftp://broker", "ftp:// is not known"),
        ("mqtt://", "names no host"),
        ("mqtt://:1883", "names no host"),
        ("mqtt:broker", "begin it with mqtt://"),
        ("mqtt://broker:port", "no valid host or port"),
        ("mqtt://broker:70000", "no valid host or port"),
        ("mqtt://broker:0", "port 0"),
        ("mqtt://[fe80", "no valid host or port"),
        ("mqtt://broker/topic", "has a path"),
        ("mqtt://broker?x=1", "after ?"),
        ("wss://broker/mqtt#x", "after ?"),
        ("mqtt://bro ker", "has a space"),
        ("mqtt://bro\tker", "has a space"),
        ("", "begin it with mqtt://"),
        (1883, "1883 is not a broker's URL"),
    ],
)
def test_a_wrong_url_is_refused_with_what_to_write(written: Any, message: str) -> None:
    with pytest.raises(ValueError, match="; ") as caught:
        values.broker_url(written)
    assert message in str(caught.value)


@pytest.mark.parametrize("scheme", ["mqtt", "wss", "tcp"])
@pytest.mark.parametrize("login", ["gw:s3cret", "s3cret", ":s3cret"])
def test_a_password_in_the_url_is_an_error_that_does_not_repeat_it(scheme: str, login: str) -> None:
    with pytest.raises(ValueError, match="; ") as caught:
        values.broker_url(f"{scheme}://{login}@broker")
    assert "s3cret" not in str(caught.value)


def test_a_deadband_is_absolute_or_in_percent() -> None:
    assert values.deadband(0) == Deadband(0.0)
    assert values.deadband(0.2) == Deadband(0.2)
    assert values.deadband("2.5%") == Deadband(2.5, percent=True)
    for wrong in (-1, True, "2", "%", "-1%", None, float("nan"), [1]):
        with pytest.raises(ValueError, match="is not a deadband; write"):
            values.deadband(wrong)


def test_raw_values_that_mean_none_stay_exact() -> None:
    assert values.no_value(WrittenInt(0xFFFF, "0xFFFF")) == (65535,)
    assert values.no_value(["----", 2**64 - 1, -1.5]) == ("----", 18446744073709551615, -1.5)
    assert [type(each) for each in values.no_value([WrittenInt(1, "01"), 1.0])] == [int, float]
    for wrong in (True, None, [[1]], float("nan")):
        with pytest.raises(ValueError, match="is no raw value; write"):
            values.no_value(wrong)


def test_a_range_has_a_low_and_a_high_end() -> None:
    assert values.limits([-40, 125.5]) == (-40.0, 125.5)
    for wrong in ([1], [2, 1], [1, 1], ["1", "2"], 5, None, [1, 2, 3], [True, 5]):
        with pytest.raises(ValueError, match="is not a range; write"):
            values.limits(wrong)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("127.8.9.1:1", ("127.8.9.1", 1)),
        ("localhost:9464", ("localhost", 9464)),
        ("[::1]:9464", ("::1", 9464)),
    ],
)
def test_metrics_listen_on_this_machine(written, meant):
    assert values.loopback(written) == meant


@pytest.mark.parametrize(
    "written",
    ["0.0.0.0:9464", "[::]:9464", "192.168.1.5:9464", "example.org:9464", "127.0.0.1.evil:1",
     "127.0.0.1", ":9464", "9464", 9464, "127.0.0.1:0", "127.0.0.1:99999", "127.0.0.1:1/x",
     "user@127.0.0.1:9464", "[::1", "", None],
)  # fmt: skip
def test_metrics_listen_nowhere_else(written):
    with pytest.raises(ValueError, match=r"127[.]0[.]0[.]1:9464"):
        values.loopback(written)
