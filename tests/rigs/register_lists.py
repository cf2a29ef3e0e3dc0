"""Register lists for tests: texts read as files."""

from pathlib import Path
from tempfile import TemporaryDirectory

from edge_agent.registers import RegisterList, read_list


def listed(
    text: str, driver: str = "modbus", folder: Path | None = None, **answers: str
) -> RegisterList:
    """Read a list."""
    with TemporaryDirectory() as at:
        path = Path(at, "list.csv")
        path.write_text(text, encoding="utf-8")
        return read_list(path, driver, answers, folder)
