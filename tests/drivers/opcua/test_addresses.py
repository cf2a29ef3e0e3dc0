"""Ten thousand addresses take little memory, and are still the addresses that were given."""

import tracemalloc

from edge_agent_opcua import OpcUaAddress, OpcUaDriver, OpcUaSettings
from edge_agent_opcua.addresses import Addresses
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.driver import Plan

MOST_BYTES = 40  # of an address; its text is 8 of them

NODES = st.sampled_from(["s=v", "s=v1", "s=v10", "s=s=v1", "i=1", "i=11", "ns=2;i=1", "s=窑"])
ADDRESSES = st.builds(
    OpcUaAddress,
    at=NODES,
    part=st.sampled_from(["", "[0]", "High"]),
    watch=st.booleans(),
)


@given(st.lists(ADDRESSES, max_size=12), ADDRESSES)
def test_they_are_the_addresses_that_were_given(given, other):
    addresses = Addresses(given)
    assert list(addresses) == given
    assert addresses[2:5] == given[2:5]
    assert [addresses[-n - 1] for n in range(len(given))] == given[::-1]
    assert all(address in addresses for address in given)
    assert (other in addresses) == (other in given)


def plan_of(count: int) -> "Plan[OpcUaAddress]":
    driver = OpcUaDriver(OpcUaSettings(url="opc.tcp://oven"))
    return driver.plan(
        [OpcUaAddress(at=f"s=v{n:05}", namespace="urn:oven") for n in range(count)], {}
    )


def test_a_plan_of_many_nodes_takes_little_memory():
    plan_of(10)  # what is made once
    tracemalloc.start()
    try:
        plan = plan_of(2000)
        taken, _most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(plan.addresses) == 2000
    assert taken < 2000 * MOST_BYTES


def test_a_plan_made_again_keeps_the_same_addresses():
    driver, plan = OpcUaDriver(OpcUaSettings(url="opc.tcp://oven")), plan_of(3)
    assert driver.plan(plan.addresses, {"paths": {}}).addresses is plan.addresses
