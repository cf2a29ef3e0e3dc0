import pytest
from edge_agent_opcua import OpcUaAddress, nodes
from edge_agent_opcua.parts import NoSuchPart, parts_of, pick
from edge_agent_opcua.parts import parse as parse_part
from edge_agent_opcua.paths import Step, parse, write
from pydantic import ValidationError

from edge_agent.driver import Why
from tests.rigs.node_opcua import OVEN
from tests.rigs.opcua_plant import make_driver

pytestmark = pytest.mark.thorough

FIRST = 50_000
NAMESPACES = ["http://opcfoundation.org/UA/", "urn:host:server", OVEN, "urn:other"]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ((("Oven", 2), ("Temperature", 2)), "Oven/Temperature"),
        ((("Oven", 2), ("Inputs", 0)), "Oven/0:Inputs"),
        ((("Zone 1/2", 2), ("a&b", 2)), "Zone 1&/2/a&&b"),
        ((("1:x", 2),), "&1:x"),
        ((("nsu=a;b", 2),), "&nsu=a;b"),
        ((("0:x", 0), ("窑", 2)), "0:0:x/窑"),
        ((("Panel", 3), ("Lamp", 2)), "nsu=urn:other;Panel/Lamp"),
        ((("Panel", 1), ("Lamp", 2)), "nsu=urn:host:server;Panel/Lamp"),
    ],
)
def test_a_path_can_be_written_and_read_back(names, text):
    assert write(names, NAMESPACES, own=2) == text
    numbers = {uri: number for number, uri in enumerate(NAMESPACES)}
    read = [
        (step.name, 2 if step.namespace is None else numbers.get(step.namespace, step.namespace))
        for step in parse(text)
    ]
    assert tuple(read) == names


def test_a_uri_in_a_path_has_its_slashes_marked():
    assert parse(f"{write([('Oven', 2), ('x', 3)], NAMESPACES, own=3)}") == (
        Step("Oven", OVEN),
        Step("x"),
    )


@pytest.mark.parametrize("path", ["", "/Oven", "Oven/", "a//b", "a&"])
def test_what_is_no_path_is_refused_with_an_example(path):
    with pytest.raises(ValueError, match="such as A/B"):
        parse(path)


VALUE = {"Limits": {"Low": 1.5, "High": [2, 3]}, "Steps": [[1, 2], [3, 4]], "Empty": None}


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("", VALUE),
        ("Limits.Low", 1.5),
        ("Limits.High[1]", 3),
        ("Steps[1][0]", 3),
        ("Steps[0:1]", [[1, 2], [3, 4]]),
        ("Empty", None),
    ],
)
def test_a_part_names_one_value_inside_another(part, found):
    assert pick(VALUE, parse_part(part)) == found


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("Limit", "there are: Limits, Steps, Empty"),
        ("Limits.High[2]", "the array has 2 now"),
        ("Steps[1:2]", "the array has 2 now"),
        ("Limits.Low.x", "it is a single value"),
        ("Limits[0]", "it is a structure"),
        ("Steps.x", "an array of 2"),
    ],
)
def test_a_part_that_is_not_there_is_told_with_what_is(part, says):
    with pytest.raises(NoSuchPart, match=says):
        pick(VALUE, parse_part(part))


def test_all_parts_of_a_value_are_offered_up_to_a_limit():
    found = dict(parts_of(VALUE, 100))
    assert found["Limits.Low"] == 1.5
    assert found["Steps[1][0]"] == 3
    assert len(found) == 8
    for part, value in found.items():
        assert pick(VALUE, parse_part(part)) == value
    assert [part for part, _ in parts_of(list(range(1000)), 2)] == ["[0]", "[1]"]
    assert list(parts_of(5, 3)) == [("", 5)]


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ({"part": "[1"}, "no part of a value"),
        ({"part": ".x"}, "no part of a value"),
        ({"part": "[1:3]"}, "text: true"),
        ({"part": "[3:1]", "text": True}, "ends before it begins"),
        ({"part": "[1:2].x", "text": True}, "only be the last"),
        ({"path": "Oven//x"}, "no path"),
    ],
)
def test_an_address_that_cannot_work_is_refused_at_once(address, says):
    with pytest.raises(ValidationError, match=says):
        OpcUaAddress(at="s=Zones", **address)


def test_an_address_is_shown_with_its_part():
    address = OpcUaAddress(at=f"nsu={OVEN};s=Zones", part="[1]")
    assert str(address) == f"nsu={OVEN};s=Zones [1]"
    assert address.node() == f"nsu={OVEN};s=Zones"


def numbered(count=3, **more):
    return [OpcUaAddress(at=f"nsu={OVEN};i={FIRST + n}", **more) for n in range(count)]


async def read(driver, addresses, learnt=None):
    return await driver.read(driver.plan(addresses, learnt or {}))


@pytest.fixture
def renumbering(workshop):
    """A server that numbers its nodes anew at each download, as controllers do."""
    return workshop.rebuild(ids="numbers", first=FIRST)


@pytest.fixture
async def its_driver(renumbering):
    driver = make_driver(renumbering.port)
    await driver.open()
    yield driver
    await driver.close()


async def test_nodes_numbered_anew_are_found_by_the_path_learnt_before(renumbering, its_driver):
    first = await read(its_driver, numbered())
    assert first.values == [181.5, 1.25, 42]
    assert list(first.learnt["paths"].values()) == [
        "Oven/Temperature",
        "Oven/Pressure",
        "Oven/Cycles",
    ]
    again = await read(its_driver, numbered(), first.learnt)
    assert again.learnt is None, "what is known is not asked for again"
    await its_driver.close()
    renumbering.restart(first=FIRST - 1, shift=2)  # i=50000 is the pressure now
    await its_driver.open()
    assert (await read(its_driver, numbered(), first.learnt)).values == [181.5, 1.25, 42]


async def test_a_number_that_may_be_another_node_s_now_gives_no_value(renumbering, its_driver):
    first = await read(its_driver, numbered())
    await its_driver.close()
    renumbering.restart(first=FIRST - 1, without=["Temperature"])
    await its_driver.open()
    sample = (await read(its_driver, numbered(), first.learnt))[0]
    assert sample.value is None
    assert sample.flaw.why is Why.REFUSED
    assert "was Oven/Temperature" in sample.flaw.detail


async def test_a_path_in_the_configuration_leads(its_driver):
    (pressure,) = await read(its_driver, numbered(1, path="Oven/Pressure"))
    assert pressure.value == 1.25
    (nowhere,) = await read(its_driver, numbered(1, path="Oven/Presure"))
    assert nowhere.value is None
    assert "Oven/Presure leads to no node" in nowhere.flaw.detail


async def test_a_node_that_comes_later_is_bad_until_then_and_found_by_its_path(
    monkeypatch, workshop
):
    monkeypatch.setattr(nodes, "LOOK_AGAIN", 0.0)
    gone = OpcUaAddress(at=f"nsu={OVEN};s=Oven.Old", path="Oven/Recipe")
    renumbered = OpcUaAddress(at=f"nsu={OVEN};i=77777", path="Oven/Recipe")
    late = OpcUaAddress(at=f"nsu={OVEN};s=Oven.Door")
    addresses = [gone, renumbered, late]
    workshop.rebuild(without=["Recipe", "Door"])
    driver = make_driver(workshop.port)
    await driver.open()
    try:
        for _ in range(2):
            samples = await read(driver, addresses)
            assert samples.values == [None] * 3
            assert [sample.flaw.why for sample in samples] == [Why.REFUSED] * 3
        workshop.add("Recipe")
        workshop.add("Door")
        await read(driver, addresses)
        assert (await read(driver, addresses)).values == ["窑-7", "窑-7", True]
    finally:
        await driver.close()
