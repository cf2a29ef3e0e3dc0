"""Gives memory back that only the start needed."""

import ctypes
import gc


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
