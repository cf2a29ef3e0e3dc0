"""`edge-agent demo`: a simulated factory, a broker, the agent, and the messages as they arrive."""

import argparse
import asyncio
import importlib.util
import os
import time
from pathlib import Path

from edge_agent.command import BROKER_UNREACHABLE, CONFIG_INVALID, FAULT, OK
from edge_agent.errors import BrokerUnavailable, CommandFailed, ConfigInvalid
from edge_agent.language import _

EXAMPLE = "edge-agent demo --seconds 20"
NEEDED = ("amqtt", "asyncua", "pymodbus", "rich")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--seconds", type=float, metavar="N", help=_("end N seconds after the start (else Ctrl-C)")
    )
    parser.add_argument(
        "--broker", metavar="URL", help=_("publish to this broker instead of an embedded one")
    )
    parser.add_argument(
        "--write-config",
        type=Path,
        metavar="DIR",
        help=_("leave a configuration for your own `edge-agent run` in DIR"),
    )


def run(options: argparse.Namespace) -> int:
    """Run the demo until it is stopped or its time is over."""
    _complain_about_what_is_missing()
    try:
        _play(options)
    except BrokerUnavailable as error:
        raise CommandFailed(str(error), BROKER_UNREACHABLE) from error
    except KeyboardInterrupt:  # while the demo had built nothing yet, or nothing any more
        return OK
    return OK


def _play(options: argparse.Namespace) -> None:
    from edge_agent.demo import session

    seconds = None if options.seconds is None else options.seconds - _age()
    wishes = session.Wishes(options.broker, options.write_config, seconds, options.json)
    try:
        asyncio.run(session.run(wishes))
    except ConfigInvalid as error:
        if options.broker is None:
            raise  # then the mistake is ours
        what = _(" and ").join(problem.message for problem in error.problems)
        raise CommandFailed(
            _(
                "--broker {broker}: {what}; the demo takes a plain URL such as "
                "mqtt://broker.example:1883"
            ).format(broker=options.broker, what=what),
            CONFIG_INVALID,
        ) from error


def _complain_about_what_is_missing() -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise CommandFailed(
            _(
                "the demo needs the Python packages {missing}, which are not installed: "
                "pip install 'edge-agent[demo]'"
            ).format(missing=", ".join(missing)),
            FAULT,
        )


def _age() -> float:
    """Tell how many seconds ago this process was started.

    Source: proc(5), /proc/pid/stat, field 22: start after boot in clock ticks; the name of the
    program, field 2, may contain spaces.
    """
    fields = Path("/proc/self/stat").read_text("utf-8").rpartition(")")[2].split()
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started
