"""Imports go downwards only, and the check of that really bites."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = (
    "edge_agent",
    "edge_agent_modbus",
    "edge_agent_opcua",
    "edge_agent_serial",
    "edge_agent_simulated",
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the code, as it is imported here, that a test may spoil."""
    for name in PACKAGES:
        spec = find_spec(name)
        assert spec, name
        assert spec.origin, name
        shutil.copytree(
            Path(spec.origin).parent, tmp_path / name, ignore=shutil.ignore_patterns("*.pyc")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """Check a tree that is imported before any other."""
    program = (
        "import sys; from importlinter.cli import lint_imports_command as lint; sys.exit(lint())"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=tree,
        env={"PYTHONPATH": str(tree), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_layers_hold(tree: Path):
    run = _lint(tree)
    assert run.returncode == 0, run.stdout


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("edge_agent/model.py", "import edge_agent.driver", "imports go downwards only"),
        ("edge_agent/conditioning.py", "import edge_agent.cli", "imports go downwards only"),
        ("edge_agent/novelty.py", "", "imports go downwards only"),
        ("edge_agent/payload.py", "import edge_agent.testing", "imports go downwards only"),
        ("edge_agent_serial/driver.py", "import edge_agent.plugins", "A driver sees"),
        ("edge_agent_simulated/driver.py", "import edge_agent.model", "A driver sees"),
        ("edge_agent/plugins.py", "import edge_agent_modbus", "never imports a driver"),
        ("edge_agent_opcua/driver.py", "import edge_agent_serial", "never import each other"),
        ("edge_agent_modbus/address.py", "import pymodbus", "pymodbus is for the demo"),
    ],
)
def test_an_import_upwards_is_found(tree: Path, module: str, line: str, contract: str):
    file = tree / module
    file.write_text(f"{file.read_text() if file.exists() else ''}\n{line}\n")
    run = _lint(tree)
    broken = [text for text in run.stdout.splitlines() if " BROKEN" in text]
    assert [text for text in broken if contract in text], run.stdout
    assert run.returncode == 1
