"""The service: installed, started at every boot, running, and of this version?"""

from edge_agent import __version__
from edge_agent.doctor.finding import Findings, fail, fine, warn
from edge_agent.doctor.gateway import Gateway
from edge_agent.language import _, later

SUBJECT = later("service")
LOG = "journalctl -u edge-agent -n 30"


def check(gateway: Gateway) -> Findings:
    """Say how the service stands."""
    if gateway.unit is None:
        yield from _without_systemd(gateway)
    elif not gateway.is_service:
        what = _("it is not installed, so nothing starts the agent after a power cut")
        yield warn(SUBJECT, what, "sudo ./install.sh", "D-UNIT-MISSING")
    else:
        yield from _state(gateway)
    if gateway.status:
        yield from _version(gateway.status["agent"]["version"])


def _without_systemd(gateway: Gateway) -> Findings:
    if gateway.status:
        yield fine(SUBJECT, _("systemd does not run here; the agent answers"))
    else:
        what = _("systemd does not run here, and no agent answers")
        yield fail(SUBJECT, what, _("start it: edge-agent run"), "D-AGENT-STOPPED")


def _state(gateway: Gateway) -> Findings:
    active, sub = gateway.unit_says("ActiveState"), gateway.unit_says("SubState")
    enabled = gateway.unit_says("UnitFileState")
    restarts = int(gateway.unit_says("NRestarts") or 0)
    if enabled not in {"enabled", "enabled-runtime", "static", "linked"}:
        what = _("it is not started at the next boot")
        yield warn(SUBJECT, what, "sudo systemctl enable edge-agent", "D-UNIT-DISABLED")
    if sub == "auto-restart" or active == "failed":
        what = _("it falls over and is started again ({restarts} times)").format(restarts=restarts)
        yield fail(SUBJECT, what, _("see why: {log}").format(log=LOG), "D-UNIT-FALLS")
    elif active == "activating":
        what = _("it is being started")
        yield warn(
            SUBJECT,
            what,
            _("wait a minute, then look again; see: {log}").format(log=LOG),
            "D-UNIT-STARTING",
        )
    elif active != "active":
        yield fail(SUBJECT, _("it is stopped"), "sudo systemctl start edge-agent", "D-UNIT-STOPPED")
    elif restarts:
        what = _("it runs, and had to be started again {restarts} times").format(restarts=restarts)
        yield warn(SUBJECT, what, _("see why: {log}").format(log=LOG), "D-UNIT-RESTARTED")
    else:
        yield fine(SUBJECT, _("it runs, and starts at every boot"))


def _version(running: str) -> Findings:
    if running != __version__:
        what = _("version {running} runs, and this command is {command}").format(
            running=running, command=__version__
        )
        yield warn(later("version"), what, "sudo systemctl restart edge-agent", "D-VERSION")
    else:
        yield fine(later("version"), running)
