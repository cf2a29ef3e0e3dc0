"""A broker whose certificate is not right: never connected, never in clear, back by itself."""

import asyncio
import contextlib
import shutil
import ssl
import time
import warnings
from pathlib import Path

import pytest

from tests.rigs.agent_process import agent, configure
from tests.rigs.arrivals import heard
from tests.rigs.certificates import Authority
from tests.rigs.counter_plc import CounterPlc, connection, drain
from tests.rigs.fault_report import judged
from tests.rigs.fault_sizes import sized
from tests.rigs.mosquitto import mosquitto
from tests.rigs.network import network
from tests.rigs.site import ENDLESS
from tests.rigs.until import until

AS_ROOT = "user root"  # else it cannot read the files of a test that runs as root
HANDSHAKE = 0x16  # first byte of TLS. Source: RFC 8446, 5.1
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


# What is wrong -> who signs it, for whom, from and to how many days from now; what the log says.
WRONG = {
    "expired": ("ours", "localhost", -10, -1, "expired"),
    "not yet valid": ("ours", "localhost", 1, 10, "not yet valid"),
    "wrong host": ("ours", "elsewhere.example", -1, 10, "Hostname mismatch"),
    "unknown authority": ("foreign", "localhost", -1, 10, "unable to get local issuer"),
}


@pytest.fixture
def authorities(tmp_path):
    return {name: Authority(tmp_path, name) for name in ("ours", "foreign")}


@sized(quick=0.1, full=5.0, thorough=True)
async def test_a_wrong_certificate_is_never_accepted_and_nothing_goes_in_clear(  # noqa: PLR0915 - one story
    tmp_path, authorities, size
):
    with judged(20, f"TLS: {', '.join(WRONG)}", full=size.full) as outcome:
        async with contextlib.AsyncExitStack() as stack:
            plc = await stack.enter_async_context(CounterPlc())
            brokers = {}
            for name, (signer, host, first, last, _) in WRONG.items():
                lines = authorities[signer].issue(name, host, first=first, last=last)
                brokers[name] = await stack.enter_async_context(
                    mosquitto(tmp_path, *ENDLESS, AS_ROOT, *lines)
                )
            between = await stack.enter_async_context(network(brokers["expired"]))
            used = shutil.copy(authorities["ours"].file, tmp_path / "used.pem")
            config = _encrypted(between.port, plc, used)
            hurry = {"edge_agent.publisher.LAST_DELAY": size.amount}
            gateway = await stack.enter_async_context(agent(tmp_path, config, hurry))
            for name, (*_, said) in WRONG.items():
                between.upstream = brokers[name]
                await until(lambda: said in _last_reason(gateway), 60)  # noqa: B023
                tries = len(between.connects)
                await until(lambda: len(between.connects) >= tries + 2, 120)  # noqa: B023
            reasons = [line["why"] for line in gateway.events("not_connected")]
            assert len(reasons) <= len(set(reasons)) + 1, "the log repeats itself"
            assert not gateway.events("connected")
            shutil.copy(authorities["foreign"].file, used)  # what was unknown becomes known
            replaced = time.monotonic()
            ca = str(authorities["foreign"].file)
            with heard(brokers[name], ca_certs=ca, tls_version=None) as arrivals:
                await until(lambda: gateway.events("connected"), 90)
                outcome.recovery_s = time.monotonic() - replaced
                await drain(gateway, plc)
                await until(lambda: arrivals.good >= plc.count())
            assert between.first_bytes == {HANDSHAKE}
            for secret in (b"edge/v1", b"MQTT", b"readings"):
                assert secret not in between.carried
        outcome.judge(arrivals, served=plc.count())
        outcome.assert_nothing_lost_silently()
        assert outcome.losses == 0


@pytest.mark.parametrize("broker", [pytest.param("TLS 1.1", marks=pytest.mark.thorough), "no TLS"])
async def test_a_broker_of_old_or_no_encryption_gets_a_greeting_and_nothing_else(
    tmp_path, authorities, broker
):
    async with contextlib.AsyncExitStack() as stack:
        plc = await stack.enter_async_context(CounterPlc())
        start = _of_yesterday if broker == "TLS 1.1" else _plain
        port = await stack.enter_async_context(start(tmp_path, authorities["ours"]))
        between = await stack.enter_async_context(network(port))
        secret = tmp_path / "secret"
        secret.touch(0o600)
        secret.write_text("hunter2-in-clear")
        login = {"username": "gw-in-clear", "password_file": str(secret)}
        config = _encrypted(between.port, plc, authorities["ours"].file, **login)
        hurry = {"edge_agent.publisher.LAST_DELAY": 0.1}
        gateway = await stack.enter_async_context(agent(tmp_path, config, hurry))
        await until(lambda: "speaks TLS" in _last_reason(gateway), 30)
        await until(lambda: len(between.connects) >= 3, 30)
        assert between.first_bytes == {HANDSHAKE}
        for secret in (b"in-clear", b"edge/v1", b"MQTT", b"readings"):
            assert secret not in between.carried
        assert not gateway.events("connected")


@contextlib.asynccontextmanager
async def _of_yesterday(folder, authority):
    """A server that would speak TLS 1.1, and nothing newer; gives its port."""
    certificate, key = authority.certify("old", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    _speak_1_1(context)
    async with await asyncio.start_server(_listen, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        await _greet_as_of_yesterday(port, authority)
        yield port


async def _greet_as_of_yesterday(port, authority):
    """A client that still takes TLS 1.1 gets it: what refuses it is the agent."""
    context = ssl.create_default_context(cafile=authority.file)
    _speak_1_1(context)
    _, writer = await asyncio.open_connection("localhost", port, ssl=context)
    assert writer.get_extra_info("ssl_object").version() == "TLSv1.1"
    writer.close()


def _speak_1_1(context):
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")


async def _listen(reader, writer):
    with contextlib.suppress(OSError):
        await reader.read()
    writer.close()


@contextlib.asynccontextmanager
async def _plain(folder, _authority):
    """A broker's port without TLS, open to everybody; gives its port."""
    async with mosquitto(folder, *ENDLESS) as port:
        yield port


# Its short form is in test_publisher.py.
@sized(full=5.0)
async def test_a_revoked_certificate_of_ours_is_named_until_it_is_replaced(  # noqa: PLR0915 - one story
    tmp_path, authorities, size
):
    ours = authorities["ours"]
    revoked, good = ours.certify("revoked", "gw"), ours.certify("good", "gw")
    used = tmp_path / "used.crt", tmp_path / "used.key"
    for have, want in zip(revoked, used, strict=True):
        shutil.copy(have, want)
    lines = (f"cafile {ours.file}", "require_certificate true", *ours.issue("broker"))
    crl = f"crlfile {ours.revoke(revoked[0])}"
    with judged(20, "TLS: our certificate is revoked", full=size.full) as outcome:
        async with CounterPlc() as plc, mosquitto(tmp_path, *ENDLESS, AS_ROOT, *lines, crl) as port:
            async with network(port) as between:
                mine = {"cert_file": str(used[0]), "key_file": str(used[1])}
                config = _encrypted(between.port, plc, ours.file, **mine)
                hurry = {"edge_agent.publisher.LAST_DELAY": size.amount}
                async with agent(tmp_path, config, hurry) as gateway:
                    await until(lambda: len(between.connects) >= 4, 60)
                    reasons = {line["why"] for line in gateway.events("not_connected")}
                    assert len(reasons) == len(gateway.events("not_connected")) == 1
                    assert "this gateway's certificate: it is revoked" in reasons.pop()
                    for have, want in zip(reversed(good), reversed(used), strict=True):
                        shutil.copy(have, want)
                    replaced = time.monotonic()
                    its = {"certfile": str(good[0]), "keyfile": str(good[1])}
                    with heard(port, ca_certs=str(ours.file), **its) as arrivals:
                        await until(lambda: gateway.events("connected"), 90)
                        outcome.recovery_s = time.monotonic() - replaced
                        await drain(gateway, plc)
                        await until(lambda: arrivals.good >= plc.count())
                assert between.first_bytes == {HANDSHAKE}
        outcome.judge(arrivals, served=plc.count())
        outcome.assert_nothing_lost_silently()
        assert outcome.losses == 0


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is missing: apt-get install libfaketime")
@sized(full=10.0)
async def test_a_stale_clock_is_waited_for_and_never_believed(tmp_path, authorities, size):  # noqa: PLR0915 - one story
    """The gateway's date is seven months behind: every certificate is one of the future."""
    date = tmp_path / "date"
    date.write_text("-210d")
    ours = authorities["ours"]
    lines = ours.issue("broker", first=-10, last=10)
    with judged(20, "TLS: the clock is seven months behind", full=size.full) as outcome:
        async with CounterPlc() as plc, mosquitto(tmp_path, *ENDLESS, AS_ROOT, *lines) as port:
            async with network(port) as between:
                config = _encrypted(between.port, plc, ours.file)
                # The shipped minute between tries, so that what comes earlier is the clock's doing.
                hurry = {"edge_agent.publisher.LAST_DELAY": 60.0}
                async with agent(tmp_path, config, hurry, _dated(date)) as gateway:
                    await until(lambda: "waits for the right time" in _last_reason(gateway))
                    await asyncio.sleep(size.amount)
                    assert len(between.connects) == 1, "it tries without cause"
                    date.write_text("+0")
                    right = time.monotonic()
                    with heard(port, ca_certs=str(ours.file)) as arrivals:
                        await until(lambda: gateway.events("connected"), 30)
                        outcome.recovery_s = time.monotonic() - right
                        await drain(gateway, plc)
                        await until(lambda: arrivals.good >= plc.count())
                assert between.first_bytes == {HANDSHAKE}
        outcome.judge(arrivals, served=plc.count())
        outcome.assert_nothing_lost_silently()
        assert outcome.losses == 0
        assert outcome.recovery_s <= 3


def _encrypted(port, plc, ca_file, **files):
    config = configure(port, connection(plc))
    config["mqtt"] |= {"url": f"mqtts://localhost:{port}", "ca_file": str(ca_file), **files}
    return config


def _dated(date):
    """Give the variables of a process whose date is as this file says. Source: faketime(1)."""
    return {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(date),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def _last_reason(gateway):
    reasons = gateway.events("not_connected")
    return reasons[-1]["why"] if reasons else ""
