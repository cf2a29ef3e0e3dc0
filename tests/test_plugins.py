"""Drivers found by entry point, in distributions that are really installed (in a folder)."""

import sys

import pytest

from edge_agent import plugins
from edge_agent.driver import Driver
from edge_agent.errors import DriverUnavailable

DRIVER = """
from edge_agent_simulated import SimulatedDriver
class MyDriver(SimulatedDriver): ...
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution that provides one driver."""

    def install(dist, name="mine", value="", code=DRIVER, extras=()):
        folder = tmp_path / dist
        info = folder / f"{dist}-1.2.dist-info"
        info.mkdir(parents=True)
        lines = ["Metadata-Version: 2.1", f"Name: {dist}", "Version: 1.2"]
        lines += [f"Provides-Extra: {extra}" for extra in extras]
        (info / "METADATA").write_text("\n".join(lines))
        entry = f"[{plugins.GROUP}]\n{name} = {value or f'{dist}_module:MyDriver'}\n"
        (info / "entry_points.txt").write_text(entry)
        (folder / f"{dist}_module.py").write_text(code)
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, f"{dist}_module", raising=False)

    return install


def test_our_drivers_are_there_and_listed_without_being_imported():
    assert {"modbus", "opcua", "serial", "simulated"} <= set(plugins.names())
    assert plugins.load("simulated").__name__ == "SimulatedDriver"


def test_a_stranger_s_driver_is_found_like_ours(install):
    install("acme")
    assert "mine" in plugins.names()
    assert plugins.load("mine").__name__ == "MyDriver"


@pytest.mark.parametrize(("asked", "said"), [("modbsu", "did you mean 'modbus'"), ("zzz", "opcua")])
def test_a_name_that_nobody_provides_brings_a_proposal(asked, said):
    with pytest.raises(DriverUnavailable, match=said):
        plugins.load(asked)


def test_two_drivers_of_one_name_are_refused_naming_both(install):
    install("acme")
    install("bcme")
    with pytest.raises(DriverUnavailable, match=r"by acme 1\.2 and bcme 1\.2: uninstall one"):
        plugins.load("mine")


def test_one_installation_that_is_listed_twice_is_one(install):
    install("acme")
    install("bcme", value="acme_module:MyDriver")
    assert plugins.load("mine").__name__ == "MyDriver"


def test_a_missing_package_is_named_with_the_extra_that_brings_it(install):
    install("acme", code="import no_such_package", extras=["mine"])
    with pytest.raises(DriverUnavailable, match=r"'no_such_package'.*pip install 'acme\[mine\]'"):
        plugins.load("mine")


def test_a_missing_package_without_an_extra_asks_for_the_whole_again(install):
    install("acme", code="import no_such_package")
    with pytest.raises(DriverUnavailable, match=r"install acme 1\.2 anew"):
        plugins.load("mine")


@pytest.mark.parametrize("code", ["1 / 0", "def f(:", "", "from os import nothing_like_this"])
def test_a_driver_that_cannot_be_imported_is_said_in_one_sentence(install, code):
    install("acme", code=code)
    with pytest.raises(DriverUnavailable, match=r"'mine' of acme 1\.2 cannot be imported: "):
        plugins.load("mine")


@pytest.mark.parametrize("code", ["MyDriver = 5", "class MyDriver: ..."])
def test_what_is_no_driver_is_refused(install, code):
    install("acme", code=code)
    with pytest.raises(DriverUnavailable, match=r"no subclass of edge_agent\.driver\.Driver"):
        plugins.load("mine")


def test_a_driver_that_was_found_is_not_looked_for(monkeypatch):
    class Found(Driver):
        pass

    monkeypatch.setattr(plugins, "_found", {})
    plugins.know({"far": Found})
    assert plugins.load("far") is Found
    assert "far" not in plugins.names()
