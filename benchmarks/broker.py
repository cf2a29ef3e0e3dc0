"""A real broker in a process of its own: mosquitto, as Debian ships it."""

import getpass
import socket
import subprocess
import time
from pathlib import Path

from tests.rigs.mosquitto import find

START_SECONDS = 10.0


def program() -> str:
    """Find the broker's program.

    Raises:
        FileNotFoundError: It is not installed here.
    """
    found = find()
    if found is None:
        raise FileNotFoundError("mosquitto is not installed: apt-get install mosquitto")
    return found


def version() -> str:
    """Name the broker and its version."""
    # its help is the only place that tells the version, and it ends with code 3
    answer = subprocess.run([program(), "-h"], capture_output=True, text=True, check=False)  # noqa: S603
    return answer.stdout.partition("\n")[0].replace(" version", "")


class Broker:
    """Mosquitto on a free port; it can be stopped and started again on the same one.

    Nothing that is queued for the subscriber is given up, and it survives a restart, so that what
    is missing there can only have gone missing before.
    """

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = int(server.getsockname()[1])
        configuration = folder / "mosquitto.conf"
        configuration.write_text(
            f"listener {self.port} 127.0.0.1\n"
            "allow_anonymous true\n"
            "max_queued_messages 0\n"
            "persistence true\n"
            f"persistence_location {folder}/\n"
            f"user {getpass.getuser()}\n"
        )
        self._command = [program(), "-c", str(configuration)]
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes]
        self.start()

    @property
    def number(self) -> int:
        """Its process number."""
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stderr=log)  # noqa: S603 - our own words
        give_up = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > give_up or self._process.poll() is not None:
                raise RuntimeError(f"mosquitto does not start, see {self._log}")
            time.sleep(0.01)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """Stop it; it puts its queues on disk. Safe twice."""
        self._process.terminate()
        self._process.wait(START_SECONDS)
