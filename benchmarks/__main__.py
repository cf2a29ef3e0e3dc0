"""`python -m benchmarks`: measures the agent and prints a table; `--help` says what else."""

import argparse
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import gateway, opcua, scenarios, table, wear
from benchmarks.calibration import machine
from benchmarks.figures import FULL, Figures

DOCUMENT = gateway.ROOT / "docs" / "benchmarks.md"
ABOUT = """\
figures   what the agent costs, as a table: wanted, measured, and whether that is enough
load      10,000 readings a second for 60 s: every number at the subscriber exactly once
wear      what it writes to its card, with and without a broker; a quarter of an hour
opcua     what watching an OPC UA server costs, beside bare asyncua
outage    the broker away for 30 s, the agent killed in the middle: every number accounted for
"""
INTRODUCTION = """\
# Benchmarks

Written by `make bench ARGS=--write`; run it yourself. The agent is a process of its own in an
environment with nothing but its base dependencies, as on a gateway. It reads an independent Modbus
TCP plant (libmodbus), 100 devices with 100 registers that all change, once a second, and publishes
to mosquitto with QoS 1; another process subscribes and counts. CPU is the user and system time of
the agent's process. Lateness is seen from the plant: from the instant a poll is due until its
request arrives. The naive encoding, `json.dumps` of 1,000 readings as dictionaries, tells how fast
the machine was at that moment.
"""


def main() -> int:
    """Run what the command line asks for."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left running
    if options.here:
        return _run(options, gateway.here())
    with gateway.alone():
        return _run(options, gateway.installed("opcua" if options.what == "opcua" else ""))


def _run(options: argparse.Namespace, program: Path) -> int:
    if options.what == "figures":
        return _figures(options, program)
    if options.what == "wear":
        return _wear(options, program)
    if options.what == "opcua":
        return _opcua(options, program)
    if options.what == "load":
        account = scenarios.load(program, FULL, options.seconds or 60, _say)
        return _show(account, options, scenarios.exactly_once)
    account = scenarios.outage(program, FULL, options.seconds or 30, _say)
    return _show(account, options, scenarios.nothing_unaccounted)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "what", nargs="?", default="figures", choices=["figures", "load", "opcua", "outage", "wear"]
    )
    parser.add_argument("--runs", type=int, default=3, help="of the figures (3)")
    parser.add_argument("--seconds", type=float, help="of measuring, or of load or outage")
    parser.add_argument("--here", action="store_true", help="measure this environment's agent")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def _figures(options: argparse.Namespace, program: Path) -> int:
    measured = Figures(program, options.seconds or 20, _say)
    for run in range(options.runs):
        _say(f"run {run + 1} of {options.runs}")
        measured.run()
    if options.json:
        _print(json.dumps({figure.what: figure.values for figure in measured.all}))
    else:
        _print(f"{machine()}\n\n{table.text(measured.all)}")
    if options.write:
        content = f"{INTRODUCTION}\n{machine()}.\n\n{table.markdown(measured.all)}\n"
        DOCUMENT.write_text(content)
    return 0


def _wear(options: argparse.Namespace, program: Path) -> int:
    measured = wear.figures(program, options.seconds or 60, _say)
    if options.json:
        _print(json.dumps({figure.what: figure.values for figure in measured}))
    else:
        _print(f"{machine()}\n\n{table.text(measured)}")
    return 0 if all(figure.mark == "ok" for figure in measured) else 1


def _opcua(options: argparse.Namespace, program: Path) -> int:
    measured = opcua.OpcUaFigures(program, options.seconds or 20, _say)
    for run in range(options.runs):
        _say(f"run {run + 1} of {options.runs}")
        measured.run()
    if options.json:
        _print(json.dumps({figure.what: figure.values for figure in measured.all}))
    else:
        _print(f"{machine()}\n\n{table.text(measured.all)}")
    return 0 if all(figure.mark != "MISSED" for figure in measured.all) else 1


def _show(
    account: dict[str, Any], options: argparse.Namespace, holds: Callable[[dict[str, Any]], bool]
) -> int:
    if options.json:
        _print(json.dumps(account))
    else:
        _print("\n".join(f"{name:<13} {value}" for name, value in account.items()))
        _print("it holds" if holds(account) else "IT DOES NOT HOLD")
    return 0 if holds(account) else 1


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
