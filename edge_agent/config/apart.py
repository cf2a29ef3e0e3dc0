"""Loads a configuration in a process of its own, so that the daemon need not keep what that takes.

Reading ten thousand points from YAML takes tens of megabytes, of which little can be given back:
what lives on lies scattered among what was only needed for checking. A process that ends gives
back everything, and meanwhile the daemon imports what it needs itself.

The process hands over pickles: the modules of the drivers as soon as it has read their names, so
that the daemon imports those meanwhile too, and then what it made of the file.
"""

import contextlib
import dataclasses
import importlib
import os
import pickle
import subprocess
import sys
import zlib
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, overload

import structlog

from edge_agent import plugins, twin
from edge_agent.config.model import Config, Connection
from edge_agent.errors import ConfigInvalid, Problem
from edge_agent.language import _, spoken, use
from edge_agent.plugins import AnyDriver

if TYPE_CHECKING:
    from edge_agent.config.loading import Inspection, Meet

PROGRAM = "from edge_agent.config.apart import main; main()"


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


class _Made(NamedTuple):
    """What a process made of a file.

    Attributes:
        found: The configuration, or its mistakes; or why it cannot be handed over.
        drivers: Name -> driver.
    """

    found: Config | Sequence[Problem] | str
    drivers: dict[str, type[AnyDriver]]


class Loading:
    """A configuration that is being loaded. Starts at once; `result` waits for it.

    Args:
        path: Its file.
        again: Whether there is one to go on with, so that a missing secret is a mistake.
    """

    def __init__(self, path: Path, *, again: bool = False) -> None:
        self._path, self._again = path, again
        self._process: twin.Twin | subprocess.Popen[bytes] = (
            twin.Twin(partial(_hand_over, path, again=again))
            if twin.can_be()
            else subprocess.Popen(  # noqa: S603 - our own module, in our own interpreter
                [sys.executable, "-c", PROGRAM, str(path), spoken(), *["again"] * again],
                stdout=subprocess.PIPE,
            )
        )

    def result(self) -> Config:
        """Wait for the configuration. Blocks.

        Raises:
            ConfigInvalid: It has mistakes, or cannot be read; all of them are listed.
        """
        found, drivers = self._received()
        plugins.know(drivers)
        if isinstance(found, str):
            # A driver whose own types cannot be pickled; or there is no memory for a process.
            structlog.get_logger().warning("configuration_takes_more_memory", why=found)
            config, errors, _doubts = _inspect(self._path, again=self._again)
            found = config or errors
        if isinstance(found, Config):
            return found
        raise ConfigInvalid(found, str(self._path))

    def _received(self) -> _Made:
        output = self._process.stdout
        assert output is not None  # noqa: S101 - asked for above
        made: object = None
        try:
            while not isinstance(made := pickle.load(output), _Made):  # noqa: S301 - our own child's
                _import(made)
        except (EOFError, pickle.UnpicklingError):  # it ended too early
            made = None
        finally:
            output.close()
            code = self._process.wait()
        if isinstance(made, _Made):
            return made
        return _Made(_("the process ended with {returncode}").format(returncode=code), {})


def load(path: Path) -> Config:
    """Load a configuration for an agent that runs, in a process of its own. Blocks.

    Raises:
        ConfigInvalid: It has mistakes, or cannot be read; all of them are listed.
    """
    return Loading(path, again=True).result()


def main() -> None:
    """Load the file named on the command line and write what it gave to stdout."""
    use(sys.argv[2])
    _hand_over(Path(sys.argv[1]), sys.stdout.buffer, again="again" in sys.argv[3:])


def _hand_over(path: Path, output: BinaryIO, *, again: bool) -> None:
    """Load the file and write what it gave; before that, which modules the daemon will need."""
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # none is ours, and looking takes its time

    def meet(names: set[str]) -> None:
        pickle.dump(plugins.modules(names), output)
        output.flush()

    config, errors, _doubts = _inspect(path, again=again, meet=meet)
    drivers = {}
    try:
        if config is not None:
            names = {one.driver for one in config.connections}
            drivers = {name: plugins.load(name) for name in names}
            config = dataclasses.replace(config, connections=Packed(config.connections))
        packed = pickle.dumps(_Made(config or errors, drivers), pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 - a driver's own types may fail in any way
        packed = pickle.dumps(_Made(f"{type(error).__name__}: {error}", {}))
    output.write(packed)


def _inspect(path: Path, *, again: bool, meet: "Meet | None" = None) -> "Inspection":
    from edge_agent.config import loading, secrets  # noqa: PLC0415 - what the daemon must not load

    around = secrets.missing if again else loading.no_doubts
    return loading.inspect(path, around=around, meet=meet or loading.meet_nobody)


def _import(modules: object) -> None:
    """Import what the configuration will need, while it is still being checked."""
    assert isinstance(modules, list)  # noqa: S101 - our own child wrote it
    for module in modules:
        with contextlib.suppress(Exception):  # the check says what is wrong with it
            importlib.import_module(module)
