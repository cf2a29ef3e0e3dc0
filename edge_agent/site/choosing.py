"""Chooses what a template asks: what differs from site to site, and at most ten things. Pure.

In this order, and some with the present value as the default:

    1  the site, the gateway's name                       no default
    2  the broker's address                               default: many sites share it
    3  the user at the broker, unless it is the gateway   none
    4  where the secrets for the broker are               default
    5  where equipment is: hosts, URLs, serial ports      none, except ports like /dev/ttyUSB0
    6  users of equipment; where their secrets are        none; default
    7  what profiles ask for, such as a ratio             none: a wrong one makes wrong values
    8  numbers in a device's address, such as its unit    default: mostly alike
    9  ports of hosts                                     default

What has no default comes first where ten are not enough, and what nobody else should know, such
as the name of a user, is asked even then: it never stays in a template.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from edge_agent.config.model import Config
from edge_agent.site.wanted import Wanted, everything

MOST = 10


def choose(document: Mapping[str, Any], config: Config) -> tuple[list[Wanted], list[Wanted]]:
    """Choose what is asked about this configuration.

    Args:
        document: As it is written.
        config: What it means.

    Returns:
        What is asked, and what could be asked as well but is too much.
    """
    found = _unique(_merged(everything(document, config)))
    urgent = sorted(found, key=lambda one: (one.keep, one.rank))
    asked = urgent[:MOST] + [one for one in urgent[MOST:] if one.private]
    left = [one for one in urgent[MOST:] if not one.private]
    return sorted(asked, key=_rank), sorted(left, key=_rank)


def _rank(one: Wanted) -> int:
    return one.rank


def _unique(found: Iterable[Wanted]) -> Iterator[Wanted]:
    """Give questions of one name numbers behind it."""
    taken: set[str] = set()
    for one in found:
        numbered = (f"{one.id}-{number}" for number in itertools.count(2))
        name = next(name for name in itertools.chain([one.id], numbered) if name not in taken)
        taken.add(name)
        yield replace(one, id=name)


def _merged(found: Iterable[Wanted]) -> Iterator[Wanted]:
    """Ask once for equipment that is named in several places."""
    first: dict[tuple[str, Any], Wanted] = {}
    for one in found:
        key = (one.kind if one.kind in {"host", "url", "path"} else one.id, one.value)
        same = first.get(key)
        first[key] = replace(same, places={**same.places, **one.places}) if same else one
    yield from first.values()
