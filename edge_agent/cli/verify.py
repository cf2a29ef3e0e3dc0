"""`edge-agent verify`: the platform's side; proves by sequence numbers that nothing is missing."""

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_agent.language import _

if TYPE_CHECKING:
    from edge_agent.accounts import Accounts
    from edge_agent.config.model import Mqtt

EXAMPLE = "edge-agent verify mqtt://broker.example --seconds 60"
EVERY_AGENT = "edge/v1/#"
KINDS = ("/data", "/_agent/loss")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only this command takes."""
    parser.add_argument(
        "url", nargs="?", help=_("the broker; else the one of the configuration, with its password")
    )
    parser.add_argument(
        "--seconds", type=float, metavar="N", help=_("end after N seconds (else with Ctrl-C)")
    )
    parser.add_argument(
        "--db",
        type=Path,
        metavar="FILE",
        help=_("go on from this file and save there; the broker keeps what arrives between runs"),
    )


def run(options: argparse.Namespace) -> int:
    """Follow the numbers; 0 if every one is accounted for, 6 if not, 5 without a broker."""
    import asyncio

    from edge_agent.accounts import Accounts
    from edge_agent.command import BROKER_UNREACHABLE, OK, PARTLY_OK
    from edge_agent.errors import BrokerUnavailable, CommandFailed

    accounts = Accounts()
    mqtt = _broker(options)
    try:
        with _kept(accounts, options.db):
            asyncio.run(_follow(mqtt, accounts, options.seconds, _client_id(options.db)))
    except BrokerUnavailable as error:
        raise CommandFailed(str(error), BROKER_UNREACHABLE) from error
    report = accounts.report()
    print(json.dumps(report) if options.json else _table(report))
    return OK if accounts.complete() else PARTLY_OK


async def _follow(
    mqtt: "Mqtt", accounts: "Accounts", seconds: float | None, client_id: str
) -> None:
    """Count what arrives until the time is over or Ctrl-C."""
    import asyncio
    import signal

    from edge_agent.subscriber import subscribe

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if seconds is not None:
        loop.call_later(seconds, stop.set)
    stopping = asyncio.create_task(stop.wait())
    async with subscribe(mqtt, EVERY_AGENT, client_id) as subscriber:
        while not stop.is_set():
            arriving = asyncio.create_task(subscriber.messages.get())
            await asyncio.wait({arriving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if arriving.done():
                _take(accounts, *arriving.result())
            arriving.cancel()


def _take(accounts: "Accounts", topic: str, payload: bytes) -> None:
    """Count one message; what is no message of an agent is no business of ours."""
    if not topic.endswith(KINDS):
        return
    try:
        message = json.loads(payload)
        agent = "/".join(topic.split("/")[2:-2])
        accounts.add(agent, message)
    except (ValueError, KeyError, TypeError):
        return


def _broker(options: argparse.Namespace) -> "Mqtt":
    from edge_agent.command import CONFIG_INVALID, USAGE
    from edge_agent.config import load
    from edge_agent.config.model import Mqtt
    from edge_agent.config.values import broker_url
    from edge_agent.errors import CommandFailed, ConfigInvalid

    if options.url is None:
        try:
            return load(options.config).mqtt
        except ConfigInvalid as error:
            raise CommandFailed(
                _("{error}; or name the broker's URL").format(error=error), CONFIG_INVALID
            ) from error
    try:
        url = broker_url(options.url)
    except ValueError as error:
        raise CommandFailed(str(error), USAGE) from error
    return Mqtt(url.host, url.port, "", tls=url.tls, websocket_path=url.websocket_path)


def _client_id(file: Path | None) -> str:
    """Name a session that lasts between runs after the file that does."""
    import zlib

    return f"edge-verify-{zlib.crc32(str(file.resolve()).encode()):08x}" if file else ""


@contextmanager
def _kept(accounts: "Accounts", file: Path | None) -> Iterator[None]:
    """Go on from a file, and save there at the end."""
    from edge_agent.command import FAULT
    from edge_agent.errors import CommandFailed
    from edge_agent.versions import write_whole

    if file is not None and file.exists():
        try:
            accounts.restore(json.loads(file.read_text()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CommandFailed(
                _("{file} cannot be read ({error}); move it away to begin anew").format(
                    file=file, error=error
                ),
                FAULT,
            ) from error
    yield
    if file is not None:
        write_whole(file, json.dumps(accounts.state()).encode(), like=file)


def _table(report: dict[str, Any]) -> str:
    if not report["agents"]:
        return _("nothing arrived: no agent publishes on this broker, or not below edge/v1")
    return "\n".join(line for agent in report["agents"] for line in _lines(agent))


def _lines(agent: dict[str, Any]) -> Iterator[str]:
    missing = sum(last - first + 1 for first, last in agent["missing"])
    yield (
        _(
            "{agent} epoch {epoch}: {received} messages, numbers {first} to {last}, "
            "{duplicates} repeated, {losses} records of loss, {missing} missing"
        ).format(
            agent=agent["agent"],
            epoch=agent["epoch"],
            received=agent["received"],
            first=agent["first"],
            last=agent["last"],
            duplicates=agent["duplicates"],
            losses=len(agent["losses"]),
            missing=missing,
        )
    )
    for first, last in agent["missing"]:
        yield _("  missing {first} to {last}").format(first=first, last=last)
    for loss in agent["losses"]:
        yield _("  lost {first} to {last}: {why}").format(
            first=loss["first"], last=loss["last"], why=loss["why"]
        )
