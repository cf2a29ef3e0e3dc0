"""The demo's configuration is an ordinary one, and reads what the machines really show."""

from pathlib import Path

import pytest

from edge_agent import config, plugins
from edge_agent.config.model import Config, Device
from edge_agent.demo import plant
from edge_agent.demo.configuration import FILE, LINE, SCALE, Wiring, lent
from edge_agent.demo.factory import Factory
from edge_agent.demo.plant import Places
from edge_agent.errors import CommandFailed
from edge_agent.model import Sample, Samples

pytestmark = pytest.mark.thorough

NOWHERE = Places(
    press=1,
    oven=2,
    lines=("/dev/pts/1000", "/dev/pts/1001"),
    scales=("/dev/pts/1002", "/dev/pts/1003"),
)
URL = "mqtt://127.0.0.1:11883"


def wiring(folder: Path, places: Places = NOWHERE) -> Wiring:
    return Wiring(
        "demo", URL, folder / "buffer", Path(places.lines[0]), Path(places.scales[0]), places
    )


def parsed(text: str) -> Config:
    found = config.parse(text)
    assert found.errors == []
    assert found.warnings == []
    assert found.config is not None
    return found.config


def test_it_is_valid_and_shows_what_a_configuration_can_say(tmp_path: Path) -> None:
    checked = parsed(wiring(tmp_path).text())
    devices = [device for connection in checked.connections for device in connection.devices]
    points = [point for device in devices for point in device.points]
    types = {point.address.value_type() for point in points}
    assert {c.driver for c in checked.connections} == {"modbus", "opcua", "serial"}
    assert types >= {"bool", "uint16", "int16", "uint32", "int32", "uint64", "float32", "string"}
    assert any(not device.label.isascii() for device in devices)
    assert any(point.deadband and point.deadband.percent for point in points)
    assert len(points) <= 20  # the whole factory fits a terminal of 24 rows


def test_folders_with_strange_names_stay_what_they_are(tmp_path: Path) -> None:
    folder = tmp_path / 'with "quotes", $dollars: and #'
    assert parsed(wiring(folder).text()).buffer.path == folder / "buffer"


async def read(checked: Config, device: Device) -> dict[str, Sample]:
    connection = next(c for c in checked.connections if device in c.devices)
    driver = plugins.load(connection.driver)(connection.settings)
    try:
        await driver.open()
        samples: Samples = await driver.read(driver.plan([p.address for p in device.points], {}))
    finally:
        await driver.close()
    return {point.name: sample for point, sample in zip(device.points, samples, strict=True)}


async def test_every_point_reads_what_its_machine_shows(tmp_path: Path) -> None:
    factory = Factory()
    factory.step(6.0)
    async with plant.serve(factory) as served:
        checked = parsed(wiring(tmp_path, served.places).text())
        devices = {d.name: d for c in checked.connections for d in c.devices}
        scales = {p.name: p.scale for d in devices.values() for p in d.points}
        seen = {name: await read(checked, device) for name, device in devices.items()}
    for device, samples in seen.items():
        for point, sample in samples.items():
            assert sample.flaw is None, (device, point, sample)
    press, meter, oven = seen["press-1"], seen["meter-press"], seen["meter-oven"]
    assert press["strokes"].value == factory.press.strokes
    assert press["running"].value is True
    assert press["order"].value == "A-2417/3"
    assert press["oil_temperature"].value == round(factory.press.oil_temperature * 10)
    assert scales["oil_temperature"] == 0.1
    assert meter["power"].value == pytest.approx(factory.press_meter.power, abs=1e-4)
    assert meter["energy"].value == round(factory.press_meter.energy * 1000)
    assert oven["power"].value == round(factory.oven_meter.power * 1000)
    assert oven["energy"].value == round(factory.oven_meter.energy * 1000)
    assert seen["oven-1"]["temperature"].value == round(factory.oven.chamber, 2)
    assert seen["scale-1"]["weight"].value == pytest.approx(factory.scale.load, abs=0.002)


def test_a_folder_is_lent_a_line_and_keeps_the_configuration(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "mine"
    with lent(folder, URL, NOWHERE) as sentence:
        assert str(folder / FILE) in sentence
        assert (folder / LINE).readlink() == Path(NOWHERE.lines[1])
        assert (folder / SCALE).readlink() == Path(NOWHERE.scales[1])
        written = parsed((folder / FILE).read_text("utf-8"))
    assert written.agent.id == "my-gateway"
    assert not any((folder / name).is_symlink() for name in (LINE, SCALE))
    assert {file.name for file in folder.iterdir()} == {FILE, "README.md"}


def test_a_configuration_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("mine")
    with lent(tmp_path, URL, NOWHERE) as sentence:
        assert "kept" in sentence
    assert (tmp_path / FILE).read_text() == "mine"


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("about something else")
    with lent(tmp_path, URL, NOWHERE):
        pass
    assert (tmp_path / "README.md").read_text() == "about something else"


def test_the_line_of_a_demo_that_was_killed_is_replaced(tmp_path: Path) -> None:
    (tmp_path / LINE).symlink_to("/dev/pts/999")
    with lent(tmp_path, URL, NOWHERE):
        assert (tmp_path / LINE).readlink() == Path(NOWHERE.lines[1])


@pytest.mark.parametrize("name", [FILE, LINE])
def test_a_folder_that_takes_nothing_is_one_sentence(tmp_path: Path, name: str) -> None:
    if name == FILE:
        (tmp_path / "sub").write_text("no folder")
    else:
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / LINE).write_text("no link of ours")
    with (
        pytest.raises(CommandFailed, match="may write") as caught,
        lent(tmp_path / "sub", URL, NOWHERE),
    ):
        pass
    assert caught.value.code == 2
