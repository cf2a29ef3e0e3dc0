"""Loads a configuration in a process of its own, so that the daemon need not keep what that takes.

Reading ten thousand points from YAML takes tens of megabytes, of which little can be given back:
what lives on lies scattered among what was only needed for checking. A process that ends gives
back everything, and meanwhile the daemon imports what it needs itself.

Run as `python -m edge_agent.config.apart FILE` it writes the pickled result to stdout.
"""

import pickle
import subprocess
import sys
from pathlib import Path

from edge_agent.config.model import Config
from edge_agent.errors import ConfigInvalid


class Loading:
    """A configuration that is being loaded. Starts at once; `result` waits for it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process = subprocess.Popen(  # noqa: S603 - our own module, in our own interpreter
            [sys.executable, "-m", "edge_agent.config.apart", str(path)], stdout=subprocess.PIPE
        )

    def result(self) -> Config:
        """Wait for the configuration. Blocks.

        Raises:
            ConfigInvalid: It has mistakes, or cannot be read; all of them are listed.
        """
        packed, _ = self._process.communicate()
        if self._process.returncode:
            # A driver whose own types cannot be pickled; or there is no memory for a process.
            from edge_agent.config.loading import load  # noqa: PLC0415 - what this avoids

            return load(self._path)
        found = pickle.loads(packed)  # noqa: S301 - our own child made it a moment ago
        if isinstance(found, Config):
            return found
        raise ConfigInvalid(found, str(self._path))


def load(path: Path) -> Config:
    """Load a configuration in a process of its own. Blocks.

    Raises:
        ConfigInvalid: It has mistakes, or cannot be read; all of them are listed.
    """
    return Loading(path).result()


def main() -> None:
    """Load the file named on the command line and write what it gave to stdout."""
    from edge_agent.config.loading import inspect  # noqa: PLC0415 - only in this process

    path = Path(sys.argv[1])
    config, errors, _ = inspect(path)
    sys.stdout.buffer.write(pickle.dumps(config or errors, pickle.HIGHEST_PROTOCOL))


if __name__ == "__main__":
    main()
