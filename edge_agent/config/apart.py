"""Loads a configuration in a process of its own, so that the daemon need not keep what that takes.

Reading ten thousand points from YAML takes tens of megabytes, of which little can be given back:
what lives on lies scattered among what was only needed for checking. A process that ends gives
back everything, and meanwhile the daemon imports what it needs itself.

The process runs `main`, which writes the pickled result to its stdout.
"""

import dataclasses
import pickle
import subprocess
import sys
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import structlog

from edge_agent import plugins
from edge_agent.config.model import Config, Connection
from edge_agent.errors import ConfigInvalid
from edge_agent.language import _, spoken, use

if TYPE_CHECKING:
    from edge_agent.config.loading import Inspection

PROGRAM = "from edge_agent.config.apart import main; main()"
NOT_PICKLED = 3
"""With this the process ends where it cannot hand over what it loaded; why stands in stdout."""


class Packed(Sequence[Connection]):
    """Connections that take little memory until each is asked for, and are made anew every time."""

    def __init__(self, connections: Iterable[Connection]) -> None:
        self._packed = [
            zlib.compress(pickle.dumps(connection, pickle.HIGHEST_PROTOCOL), 1)
            for connection in connections
        ]

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, index: int) -> Connection: ...
    @overload
    def __getitem__(self, index: slice) -> list[Connection]: ...
    def __getitem__(self, index: int | slice) -> Connection | list[Connection]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        found = pickle.loads(zlib.decompress(self._packed[index]))  # noqa: S301 - packed above
        assert isinstance(found, Connection)  # noqa: S101 - likewise
        return found


class Loading:
    """A configuration that is being loaded. Starts at once; `result` waits for it.

    Args:
        path: Its file.
        again: Whether there is one to go on with, so that a missing secret is a mistake.
    """

    def __init__(self, path: Path, *, again: bool = False) -> None:
        self._path, self._again = path, again
        self._process = subprocess.Popen(  # noqa: S603 - our own module, in our own interpreter
            [sys.executable, "-c", PROGRAM, str(path), spoken(), *["again"] * again],
            stdout=subprocess.PIPE,
        )

    def result(self) -> Config:
        """Wait for the configuration. Blocks.

        Raises:
            ConfigInvalid: It has mistakes, or cannot be read; all of them are listed.
        """
        with self._process as process:
            packed = process.stdout.read() if process.stdout else b""
        if process.returncode:
            # A driver whose own types cannot be pickled; or there is no memory for a process.
            is_told = process.returncode == NOT_PICKLED
            why = (
                packed.decode(errors="replace")
                if is_told
                else _("the process ended with {returncode}").format(returncode=process.returncode)
            )
            structlog.get_logger().warning("configuration_takes_more_memory", why=why)
            config, errors, _doubts = _inspect(self._path, again=self._again)
            found: Any = config or errors
        else:
            found, drivers = pickle.loads(packed)  # noqa: S301 - our own child made it just now
            plugins.know(drivers)
        if isinstance(found, Config):
            return found
        raise ConfigInvalid(found, str(self._path))


def load(path: Path) -> Config:
    """Load a configuration for an agent that runs, in a process of its own. Blocks.

    Raises:
        ConfigInvalid: It has mistakes, or cannot be read; all of them are listed.
    """
    return Loading(path, again=True).result()


def main() -> None:
    """Load the file named on the command line and write what it gave to stdout."""
    use(sys.argv[2])
    config, errors, _doubts = _inspect(Path(sys.argv[1]), again="again" in sys.argv[3:])
    drivers = {}
    try:
        if config is not None:
            names = {one.driver for one in config.connections}
            drivers = {name: plugins.load(name) for name in names}
            config = dataclasses.replace(config, connections=Packed(config.connections))
        packed = pickle.dumps((config or errors, drivers), pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 - a driver's own types may fail in any way
        sys.stdout.write(f"{type(error).__name__}: {error}")
        sys.exit(NOT_PICKLED)
    sys.stdout.buffer.write(packed)


def _inspect(path: Path, *, again: bool) -> "Inspection":
    from edge_agent.config import loading, secrets  # noqa: PLC0415 - what the daemon must not load

    return loading.inspect(path, around=secrets.missing if again else loading.no_doubts)
