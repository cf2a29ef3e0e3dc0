"""A broker whose certificate is not right: never connected, never in clear, back by itself."""

import contextlib
import shutil
import time

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


@sized(quick=0.1, full=5.0)
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
            config = configure(between.port, connection(plc))
            config["mqtt"] |= {"url": f"mqtts://localhost:{between.port}", "ca_file": str(used)}
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


def _last_reason(gateway):
    reasons = gateway.events("not_connected")
    return reasons[-1]["why"] if reasons else ""
