"""Commands that driver packages bring."""

import sys

import pytest

from edge_agent.cli import main
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


def install(site, distribution: str, module: str) -> None:
    """Write what pip leaves behind of a package whose `module` is the command `weigh`."""
    record = site / f"{distribution}-1.2.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
    (record / "entry_points.txt").write_text(f"[edge_agent.commands]\nweigh = {module}\n")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The folder of an installed driver package, which must not be imported for its summary."""
    package = tmp_path / "strangers_driver"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (package / "weigh_command.py").write_text(COMMAND)
    install(tmp_path, "strangers_scales", "strangers_driver.weigh_command")
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for module in [name for name in sys.modules if name.startswith("strangers_driver")]:
        del sys.modules[module]


@pytest.mark.usefixtures("package")
def test_the_help_lists_it_without_importing_anything(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "asks a scale what lies on it\n" in capsys.readouterr().out


def test_it_is_called_like_one_of_ours(package, capsys) -> None:
    (package / "__init__.py").write_text("")
    assert main(["weigh", "--json", "/dev/ttyUSB0"]) == 6
    assert capsys.readouterr().out == "/dev/ttyUSB0 True\n"


def test_two_packages_with_one_name_are_both_named(package, capsys) -> None:
    (package / "other_command.py").write_text(COMMAND)
    install(package.parent, "other_scales", "strangers_driver.other_command")
    assert main(["weigh", "x"]) == FAULT
    assert (
        "provided twice, by other_scales 1.2 and strangers_scales 1.2: uninstall one of them"
        in capsys.readouterr().err
    )


def test_what_cannot_be_imported_is_one_sentence(package, capsys) -> None:
    (package / "__init__.py").write_text("import no_such_package\n")
    assert main(["weigh", "x"]) == FAULT
    assert (
        "of strangers_scales 1.2 cannot be imported (No module named 'no_such_package')"
        in capsys.readouterr().err
    )
