"""How long to wait before the next try."""

import random
from collections.abc import Iterator


def backoff(first: float = 1.0, cap: float = 60.0, spread: float = 0.2) -> Iterator[float]:
    """Give delays in seconds that double from `first` up to `cap`, each off by up to `spread`.

    The spread keeps a hall of gateways from returning to a restarted broker in step; no delay
    exceeds `cap`.
    """
    delay = first
    while True:
        yield min(cap, delay * random.uniform(1 - spread, 1 + spread))  # noqa: S311 - no secret
        delay = min(cap, delay * 2)
