"""Runs the real command with some times shortened: `hurried_agent.py NAME=SECONDS ... -- run`.

Each NAME is a module of the agent and a constant in it. Beside that, SIGUSR1 hangs the event loop
for good, as a driver that blocks would; and where EDGE_AGENT_NAMES names a file, names are resolved
as that file says: lines of a name, seconds to wait, and an address or `-` for none.
"""

import importlib
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

_resolve = socket.getaddrinfo


def hang(*_: Any) -> None:
    time.sleep(3600)


def resolve(host: Any, *rest: Any, **more: Any) -> Any:
    for line in Path(os.environ["EDGE_AGENT_NAMES"]).read_text().splitlines():
        name, seconds, address = line.split()
        if name == host:
            time.sleep(float(seconds))
            if address == "-":
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            host = address
    return _resolve(host, *rest, **more)


def shorten(word: str) -> None:
    name, _, seconds = word.partition("=")
    module, _, constant = name.rpartition(".")
    owner = importlib.import_module(module)
    kind = type(getattr(owner, constant))
    assert kind in {int, float}, word
    setattr(owner, constant, kind(float(seconds)))


def shorten_once_it_loads(words: list[str]) -> None:
    """Let the configuration be loaded meanwhile, as the agent does with its own imports."""
    from edge_agent.config.apart import Loading

    begin = Loading.__init__

    def begin_and_shorten(loading: Loading, path: Path, **more: bool) -> None:
        begin(loading, path, **more)
        for word in words:
            shorten(word)

    Loading.__init__ = begin_and_shorten  # type: ignore[method-assign]  # that is what this is for


def main() -> None:
    words = sys.argv[1:]
    rest = words.index("--")
    shorten_once_it_loads(words[:rest])
    signal.signal(signal.SIGUSR1, hang)
    if "EDGE_AGENT_NAMES" in os.environ:
        socket.getaddrinfo = resolve
    sys.argv = ["edge-agent", *words[rest + 1 :]]
    from edge_agent.cli import main as command

    sys.exit(command())


if __name__ == "__main__":
    main()
