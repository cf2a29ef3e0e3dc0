"""Imports asyncua without what nobody here asks for: its server, PubSub and XML take 3 MB."""

import importlib
import sys
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any

_PACKAGE, _SERVER = "asyncua", "asyncua.server"
_UNUSED = {
    _SERVER: "Server",
    "asyncua.common.xmlexporter": "XmlExporter",
    "asyncua.common.xmlimporter": "XmlImporter",
}
"""What the package imports for its client, and the one class of it."""


def load() -> None:
    """Import asyncua for its client alone, unless it is imported already.

    While that goes on, there are modules in place of the unused ones, of which each class can be
    made only by importing the real one. Whoever asks for those modules afterwards gets them.
    """
    if _PACKAGE in sys.modules:
        return
    for module, name in _UNUSED.items():
        stand_in: Any = ModuleType(module)
        setattr(stand_in, name, _later(module, name))
        sys.modules[module] = stand_in
    try:
        with suppress(ImportError):  # another asyncua may need more of them: then it gets all
            package: Any = importlib.import_module(_PACKAGE)
            delattr(package, _UNUSED[_SERVER])
            package.__getattr__ = _of_server
    finally:
        for module in _UNUSED:
            del sys.modules[module]
    importlib.import_module(_PACKAGE)


def _later(module: str, name: str) -> Callable[..., Any]:
    def made(*args: Any, **named: Any) -> Any:
        return getattr(importlib.import_module(module), name)(*args, **named)

    return made


def _of_server(name: str) -> Any:
    """Give what the package itself would have: its server."""
    if name != _UNUSED[_SERVER]:
        raise AttributeError(f"module {_PACKAGE!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_SERVER), name)
