"""Spares memory: what is not needed is not taken, and what only the start needed is given back."""

import ctypes
import gc
import importlib.util
import sys
import threading
import urllib
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any

# Imported by the libraries we use, for what we do not: paho looks for a proxy of SOCKS only, which
# takes 2 MB with http and email; hashlib is for its web sockets, and secrets for pydantic's, and
# they take 0.7 MB; the others take 0.1 MB each.
_LATER = (
    f"{urllib.__name__}.request",
    "hashlib",
    "secrets",
    "asyncio.sslproto",
    "msgspec.inspect",
    "structlog.stdlib",
    "structlog.threadlocal",
)
_ARENA_MAX = -8  # M_ARENA_MAX. Source: malloc.h of glibc


def spare() -> None:
    """Have malloc use one arena, and modules that are hardly ever used be run when they are.

    To be called before threads are started and those modules are imported. Threads of Python
    hardly ever allocate at the same time, and an arena for each takes some 0.2 MB.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc has it, musl has not
        libc.mallopt(_ARENA_MAX, 1)
    for name in _LATER:
        if name not in sys.modules:
            _postpone(name)


_RUNNING = threading.RLock()
_MARK = "__edge_agent_runs_it__"


class _Later(ModuleType):
    """A module that has its name and nothing else until something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        with _RUNNING:  # another thread waits until it is whole; the one that runs it goes on
            if type(self) is _Later and _MARK not in self.__dict__:
                self.__dict__[_MARK] = True
                spec = self.__spec__
                if spec is not None and spec.loader is not None:
                    spec.loader.exec_module(self)
                del self.__dict__[_MARK]
                self.__class__ = ModuleType  # type: ignore[assignment]  # now like any other
        return ModuleType.__getattribute__(self, name)


def _postpone(name: str) -> None:
    package = importlib.util.find_spec(name.partition(".")[0])  # imports nothing yet
    if package is None:
        return
    spec = PathFinder.find_spec(name, package.submodule_search_locations)
    if spec is None:
        return
    module = importlib.util.module_from_spec(spec)
    module.__class__ = _Later
    sys.modules[name] = module
    parent, _, own = name.rpartition(".")
    if parent in sys.modules:  # else it does this itself when it is imported
        setattr(sys.modules[parent], own, module)


def give_back() -> None:
    """Collect what is unused, return it to the system, and spare the rest further collections.

    Loading a large configuration takes tens of megabytes that are garbage afterwards. What
    remains lives as long as the process, so the collector need not walk it again.
    """
    gc.collect()
    gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
    if trim is not None:
        trim(0)
