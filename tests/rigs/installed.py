"""Really installs a driver of a stranger: a package and its metadata on the import path."""

from pathlib import Path

import pytest

DRIVER = '''"""{description}"""
{imports}
from pydantic import field_validator

from edge_agent.driver import Address, Driver, Samples, Settings


def make():
    class LocalSettings(Settings):
        """Settings that cannot be packed, since no module holds their class."""

    class LocalAddress(Address):
        at: str = ""

        @field_validator("at", mode="before")
        @classmethod
        def _fails_on_numbers(cls, value):
            return value.strip()

    class LocalDriver(Driver):
        settings_type = LocalSettings
        address_type = LocalAddress

        async def open(self): ...

        async def read(self, plan):
            return Samples([0] * len(plan.addresses))

        async def close(self): ...

    return LocalDriver


StrangeDriver = make()
'''


def install_driver(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    *,
    description: str = "A stranger's driver.",
    imports: str = "",
    sample: str | None = None,
) -> None:
    """Install a driver of this name, until the test is over."""
    package = folder / f"{name}_driver"
    package.mkdir()
    (package / "__init__.py").write_text(DRIVER.format(description=description, imports=imports))
    if sample is not None:
        (package / "sample.yaml").write_text(sample)
    metadata = folder / f"{name}_driver-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}_driver\nVersion: 1.0\n"
    )
    (metadata / "entry_points.txt").write_text(
        f"[edge_agent.drivers]\n{name} = {name}_driver:StrangeDriver\n"
    )
    monkeypatch.syspath_prepend(str(folder))
