"""Records how a beginner sets up a fresh box, for docs/commissioning.md: `make session`.

Two sessions of the acceptance tests, as they stood on the terminal: all of it in English, the
beginning in Chinese. What differs from machine to machine is written as it would be on a gateway.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

from edge_agent.layout import wrap
from tests.acceptance.conftest import DATA_FLOWS, running_broker
from tests.rigs.beginner import HEADER, IN_CHINESE, Beginner, Knowledge, Rule, cleaned
from tests.rigs.bench import ADAPTER, Bench
from tests.rigs.terminal import hang_up

PAGE = Path(__file__).parents[2] / "docs/commissioning.md"
BEGIN, END = "<!-- session {name} -->", "<!-- end -->"
BROKER = "10.0.0.5"
FIRST_CHINESE_SCREENS = 8
OF_THE_BOX = r"\(D-[A-Z-]+\)"


def recorded(rules: list[Rule], screens: int | None = None) -> str:
    """Let a beginner set up a fresh box; gives what stood on the terminal.

    Args:
        rules: What this person does differently.
        screens: After so many answers the person leaves.
    """
    folder = Path(tempfile.mkdtemp())
    (folder / "broker").mkdir()
    with running_broker(folder / "broker") as port:
        bench = Bench(folder)
        person = Beginner(bench, Knowledge(f"localhost:{port}"), rules)
        try:
            while (screen := person.reads()) is not None and len(person.answers) != screens:
                person.replies(screen)
        finally:
            hang_up(person.terminal)
            bench.close()
    shutil.rmtree(folder)
    return as_on_a_gateway(person.seen, folder, port)


def as_on_a_gateway(raw: str, folder: Path, port: int) -> str:
    """Write what differs from machine to machine as it is on a gateway."""
    text = _renamed(cleaned(raw), str(folder / "dev" / ADAPTER), f"/dev/{ADAPTER}")
    text = _renamed(text, str(folder / "etc"), "/etc/edge-agent")
    text = re.sub(
        r"^(OK|正常) +(serial|串口) .*\n", "", text, flags=re.MULTILINE
    )  # ours is no adapter
    text = text.replace(f"localhost:{port}", BROKER).replace("localhost", BROKER)
    text = re.sub(r"gw-[0-9a-f]{4}", "gw-7f3a", text)
    text = "\n".join(line.rstrip() for whole in text.splitlines() for line in wrap(whole))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _renamed(text: str, path: str, instead: str) -> str:
    """Put one path in the place of another, which may be broken where a line ends."""
    signs = r"\n? *".join(map(re.escape, path))
    return re.sub(rf"(\n *)?{signs}", lambda found: (found[1] or "") + instead, text)


def sessions() -> dict[str, str]:
    """Record both."""
    return {
        "english": recorded([(DATA_FLOWS, lambda _person, screen: screen.choice("another time"))]),
        "chinese": recorded(IN_CHINESE, FIRST_CHINESE_SCREENS),
    }


def inserted(page: str, name: str, text: str) -> str:
    """Put a session where the page has its place."""
    begin = BEGIN.format(name=name)
    before, _, rest = page.partition(begin)
    _old, _, after = rest.partition(END)
    return f"{before}{begin}\n```text\n{text}\n```\n{END}{after}"


def outline(text: str) -> list[str]:
    """Give what a session is made of: its questions and choices, without what was measured.

    How this machine is, its clock for one, is not what the page is about.
    """
    screens = [one for one in HEADER.split(text) if not re.search(OF_THE_BOX, one)]
    lines = [line for screen in screens for line in screen.splitlines()]
    kept = [line for line in lines if re.match(r"^( ?\d\) |.*[?？]$)", line)]
    return [re.sub(r"[\d.,]+", "#", line) for line in kept]


def of_page(name: str) -> str:
    """Give the session that the page has."""
    _, _, rest = PAGE.read_text("utf-8").partition(BEGIN.format(name=name))
    return rest.partition(END)[0]


def main() -> int:
    """Write both into the page."""
    page = PAGE.read_text("utf-8")
    for name, text in sessions().items():
        page = inserted(page, name, text)
    PAGE.write_text(page, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
