"""Commands that driver packages bring."""

import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from edge_agent.cli import brought, main
from edge_agent.command import FAULT

COMMAND = '''"""`edge-agent weigh`: asks a scale what lies on it.

More words.
"""
EXAMPLE = "edge-agent weigh /dev/ttyUSB0"


def arguments(parser):
    parser.add_argument("port")


def run(options):
    print(options.port, options.json)
    return 6
'''


@pytest.fixture
def offered(tmp_path, monkeypatch):
    package = tmp_path / "strangers_driver"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (package / "weigh_command.py").write_text(COMMAND)
    monkeypatch.syspath_prepend(tmp_path)
    entries = [EntryPoint("weigh", "strangers_driver.weigh_command", "edge_agent.commands")]
    monkeypatch.setattr(
        brought,
        "entry_points",
        lambda group, name=None: EntryPoints(e for e in entries if name in {None, e.name}),
    )
    yield package, entries
    for module in [name for name in sys.modules if name.startswith("strangers_driver")]:
        del sys.modules[module]


def test_the_help_lists_it_without_importing_anything(offered, capsys) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "asks a scale what lies on it\n" in capsys.readouterr().out


def test_it_is_called_like_one_of_ours(offered, capsys) -> None:
    package, _ = offered
    (package / "__init__.py").write_text("")
    assert main(["weigh", "--json", "/dev/ttyUSB0"]) == 6
    assert capsys.readouterr().out == "/dev/ttyUSB0 True\n"


def test_two_packages_with_one_name_are_both_named(offered, capsys) -> None:
    package, entries = offered
    (package / "other_command.py").write_text(COMMAND)
    entries.append(EntryPoint("weigh", "strangers_driver.other_command", "edge_agent.commands"))
    assert main(["weigh", "x"]) == FAULT
    assert (
        "provided twice, by strangers_driver.other_command and strangers_driver.weigh_command"
        in capsys.readouterr().err
    )


def test_what_cannot_be_imported_is_one_sentence(offered, capsys) -> None:
    package, _ = offered
    (package / "__init__.py").write_text("import no_such_package\n")
    assert main(["weigh", "x"]) == FAULT
    assert "No module named 'no_such_package'" in capsys.readouterr().err
