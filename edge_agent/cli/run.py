"""`edge-agent run`: the daemon."""

import argparse

from edge_agent.language import _

EXAMPLE = "edge-agent run -c /etc/edge-agent/config.yaml"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only this command takes."""
    parser.add_argument(
        "--log-level",
        choices=["debug", "info", "warning", "error"],
        default="info",
        help=_("what is logged to stderr (info)"),
    )


def run(options: argparse.Namespace) -> int:
    """Run the daemon until SIGTERM; a device, broker, port or disk that is away is waited for."""
    from edge_agent import memory

    memory.spare()
    from edge_agent.config.apart import Loading

    loading = Loading(options.config)  # meanwhile the rest is imported
    import asyncio

    from edge_agent.daemon import Daemon
    from edge_agent.errors import CommandFailed, ConfigInvalid
    from edge_agent.exitcodes import CONFIG_INVALID, OK
    from edge_agent.logs import configure

    configure(options.log_level)

    async def main() -> None:
        await Daemon(options.config).run(loading.result())

    try:
        asyncio.run(main())
    except ConfigInvalid as error:
        raise CommandFailed(str(error), CONFIG_INVALID) from error
    return OK
