"""Why a serial port cannot be used: the doctor's eyes on one port, before the wizard opens it."""

import os
from pathlib import Path

from edge_agent.config.loading import Inspection
from edge_agent.doctor.finding import Finding, Level
from edge_agent.doctor.gateway import Gateway
from edge_agent.doctor.ports import judge, present, survey
from edge_agent.doctor.processes import holders
from edge_agent.language import _
from edge_agent.setup.draft import Values


def port_problem(port: str, root: Path = Path("/")) -> Values:
    """Say what keeps a port from being used by whoever asks, or that it may change its name.

    Returns:
        `code` (`D-PORT-...`), `what` and `action` in words, and `fails`: whether it cannot be used
        at all; all of it empty where nothing is wrong.
    """
    gateway = Gateway(root / "no-file", Inspection(None, [], []), root=root)
    if agents := _agents(root, port):
        what = _("The agent itself reads {port} just now (process {process}).")
        action = _("Stop it while you set up: sudo systemctl stop edge-agent")
        told = what.format(port=port, process=agents[0])
        return {"code": "D-PORT-BUSY", "what": told, "action": action, "fails": True}
    if not os.path.exists(port):  # noqa: PTH110 - a device
        what = _("The adapter {port} is not plugged in").format(port=Path(port).name)
        here = ", ".join(Path(one).name for one in present(gateway)) or _("none")
        action = _("Plug it in. Adapters that are here: {here}").format(here=here)
        return {"code": "D-PORT-MISSING", "what": what, "action": action, "fails": True}
    for one in judge(survey(gateway, [("", port)])):
        if isinstance(one, Finding) and one.level is not Level.OK:
            fails = one.level is Level.FAIL
            return {"code": one.code, "what": one.what, "action": one.action, "fails": fails}
    return {"code": "", "what": "", "action": "", "fails": False}


def _agents(root: Path, port: str) -> list[int]:
    path = os.path.realpath(port)
    held, _all_seen = holders(root, {path})
    return [one.process for one in held.get(path, ()) if one.is_agent]
