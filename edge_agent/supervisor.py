"""Who starts and stops the agent: systemd, or for a trial ourselves."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Protocol

from edge_agent.errors import EdgeAgentError
from edge_agent.language import _

UNIT = "edge-agent.service"
UNIT_CONFIG = Path("/etc/edge-agent/config.yaml")  # what the unit reads
BOOTED_WITH_SYSTEMD = Path("/run/systemd/system")  # sd_booted(3)
SYSTEMCTL_SECONDS = 120.0  # the unit allows 20 for a stop and 90 for a start
STOP_SECONDS = 20.0  # as the unit does
LOG_BYTES = 2000  # of the end of a log that are shown where the agent ended


class ServiceFailed(EdgeAgentError):  # noqa: N818 - named after what happened
    """The agent could not be started or stopped."""


class Service(Protocol):
    """What starts and stops the agent of one configuration file. Everything blocks."""

    @property
    def lasts(self) -> bool:
        """Tell whether the agent is to run beyond a trial."""
        ...

    def runs(self) -> bool:
        """Tell whether the agent runs under this service."""
        ...

    def start(self) -> None:
        """Start it with the configuration as it is now, anew if it runs.

        A reload would not do: a changed secret is handed out at a start only, and what was read
        before the change proves nothing.

        Raises:
            ServiceFailed: It did not start; the message says what was said about it.
        """
        ...

    def stop(self) -> None:
        """Stop it; one that does not run stays so.

        Raises:
            ServiceFailed: It did not stop.
        """
        ...

    def ended(self) -> str:
        """Say how it ended by itself since the start; empty while it runs."""
        ...

    def settle(self) -> str:
        """Go over to everyday work: what was started is proven.

        Returns:
            What a person has to do so that the agent runs from now on; empty if nothing.
        """
        ...


class SystemService:
    """The agent as our systemd unit runs it."""

    lasts = True

    def __init__(self) -> None:
        self._process = ""

    @staticmethod
    def fits(config: Path) -> bool:
        """Tell whether the unit is here and reads this configuration."""
        return (
            config.absolute() == UNIT_CONFIG
            and BOOTED_WITH_SYSTEMD.is_dir()
            and _systemctl("cat", UNIT)[0]
        )

    def runs(self) -> bool:
        return self._show("ActiveState") in {"active", "activating", "reloading"}

    def start(self) -> None:
        self._demand("restart", UNIT)
        self._process = self._show("MainPID")

    def stop(self) -> None:
        self._demand("stop", UNIT)

    def ended(self) -> str:
        """Say that the process is another one than at the start: systemd starts it for ever."""
        if self._show("MainPID") == self._process:
            return ""
        return _("the agent ended soon after its start; see: journalctl -u edge-agent -n 30")

    def settle(self) -> str:
        self._demand("enable", "--quiet", UNIT)
        return ""

    def _demand(self, *words: str) -> None:
        good, said = _systemctl(*words)
        if not good:
            raise ServiceFailed(said)

    def _show(self, what: str) -> str:
        return _systemctl("show", "--property", what, "--value", UNIT)[1]


def _systemctl(*words: str) -> tuple[bool, str]:
    systemctl = shutil.which("systemctl") or "systemctl"
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            [systemctl, *words],
            capture_output=True,
            text=True,
            timeout=SYSTEMCTL_SECONDS,
            check=False,
            start_new_session=True,  # Ctrl-C is for us, who then take the change back
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)
    return done.returncode == 0, done.stdout.strip() or done.stderr.strip()


class ChildService:
    """The agent as a process of ours, for as long as it is tried: for machines without our unit."""

    lasts = False

    def __init__(self, config: Path) -> None:
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        self.stop()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self._process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "edge_agent", "run", "-c", str(self._config)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,  # what ends our terminal must not end a trial halfway
        )

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._log is not None:
            self._log.close()

    def ended(self) -> str:
        if self._process is None or self._process.poll() is None:
            return ""
        return _("the agent ended with exit code {code}: {log}").format(
            code=self._process.returncode, log=self._end_of_log()
        )

    def settle(self) -> str:
        """Stop it again: who tried it may go, and the agent with him."""
        self.stop()
        return _("start it with: edge-agent run -c {file}").format(file=self._config)

    def _end_of_log(self) -> str:
        if self._log is None:
            return ""
        self._log.seek(0)
        return self._log.read()[-LOG_BYTES:].decode(errors="replace").strip()


def service_for(config: Path) -> Service:
    """Give who runs the agent with this configuration on this machine."""
    return SystemService() if SystemService.fits(config) else ChildService(config)
