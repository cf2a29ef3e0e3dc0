"""Somebody who never did this: reads the screen, and answers by the words that stand there.

Knows what people know who stand before machines: the name of the factory, what is printed on the
devices and what their displays show, and the broker's address, which somebody wrote down for them.
"""

import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import pexpect

from tests.rigs.bench import Bench

PROMPT = "> "
HEADER = re.compile(r"^--.*-$", re.MULTILINE)
CHOICE = re.compile(r"^ ?([0-9+]+)\) (.*(?:\n     .*)*)", re.MULTILINE)
REDRAWN = re.compile(r"[^\r\n]*\r(?!\n)")
JARGON = re.compile(
    r"baud|parity|byte.?order|word order|endian|function code|8[NEO][12]", re.IGNORECASE
)


class Screen(NamedTuple):
    """One question as it stands on the terminal, with what was said before it."""

    before: str
    text: str

    def choice(self, *words: str) -> str:
        """Give the number of the first choice with one of these words."""
        for word in words:
            for number, text in CHOICE.findall(self.text):
                if word.lower() in text.lower():
                    return number
        raise AssertionError(f"no choice with any of {words} on this screen:\n{self.text}")

    @property
    def choices(self) -> list[tuple[str, str]]:
        return CHOICE.findall(self.text)

    @property
    def question(self) -> str:
        """Give what is asked, without the facts above and the choices below."""
        return self.text.partition("\n 1) ")[0].rpartition("\n\n")[2]


def cleaned(raw: str) -> str:
    """Give what stands on the terminal: a line that is drawn anew leaves only its last state."""
    plain = re.sub(r"\r+\n", "\n", raw)
    return REDRAWN.sub("", plain)


Rule = tuple[str, Callable[["Beginner", Screen], str]]


@dataclass
class Knowledge:
    """What this person knows.

    Attributes:
        displays: What is printed on a device -> what its display shows, by the words beside it.
        broker: Its address.
    """

    broker: str
    site: str = "factory-1"
    displays: dict[str, dict[str, float]] = field(
        default_factory=lambda: {
            "SDM630": {
                "Voltage L1": 231.4,
                "Current L1": 12.08,
                "Active power": 7912.0,
                "L1 电压": 231.4,
                "L1 电流": 12.08,
                "有功功率": 7912.0,
            },
            "XY-MD0": {"Temperature": 23.4, "Humidity": 48.1, "温度": 23.4, "湿度": 48.1},
        }
    )


class _Clock:
    """Notes when something appeared on the terminal."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, str]] = []

    def write(self, text: str) -> None:
        self.seen.append((time.monotonic(), text))

    def flush(self) -> None: ...


class Beginner:
    """At a real terminal.

    Attributes:
        seen: Everything that stood on the terminal.
        screens: Every question that was answered, in order.
        done: Devices that were compared with their display.
    """

    def __init__(
        self,
        bench: Bench,
        knows: Knowledge,
        rules: Iterable[Rule] = (),
        *,
        env: dict[str, str] | None = None,
        encoding: str = "utf-8",
    ) -> None:
        self.bench, self.knows = bench, knows
        self.rules = [*rules, *RULES]
        self.env = {**os.environ, "TERM": "dumb", "LANG": "C.UTF-8", "LC_ALL": "", **(env or {})}
        self.encoding = encoding
        self.clock = _Clock()
        self.seen = self.last_words = ""
        self.screens: list[Screen] = []
        self.answers: list[str] = []
        self.done: list[str] = []
        self.sit_down()

    def sit_down(self) -> None:
        """Start the program."""
        words = self.bench.command("setup", "-c", str(self.bench.config))
        self.terminal = pexpect.spawn(
            words[0], words[1:], env=self.env, encoding=self.encoding, codec_errors="replace",
            timeout=90, dimensions=(24, 80),
        )  # fmt: skip
        self.terminal.delaybeforesend = None  # it waits for prompts already
        self.terminal.logfile_read = self.clock

    def reads(self) -> Screen | None:
        """Wait for the next question; None at the end of the program."""
        found = self.terminal.expect([r"(?:\]|^|\n) ?> $", pexpect.EOF])
        raw = self.terminal.before + (self.terminal.after if found == 0 else "")
        self.seen += raw
        shown = cleaned(raw)
        if found == 1:
            self.last_words = shown
            self.terminal.wait()
            self.terminal.close()
            return None
        before, *rest = HEADER.split(shown)
        return Screen("".join([before, *rest[:-1]]), rest[-1].strip("\n") if rest else shown)

    def answers_to(self, screen: Screen) -> str:
        """Say what this person would type."""
        for pattern, decide in self.rules:
            if re.search(pattern, screen.text, re.DOTALL):
                return decide(self, screen)
        raise AssertionError(f"a beginner would not know what to answer:\n{screen.text}")

    def types(self, text: str) -> None:
        self.terminal.send(text + "\n")

    def goes_on(self, until: str | None = None) -> Screen | None:
        """Answer question after question; stops at a screen with these words, else at the end."""
        while (screen := self.reads()) is not None:
            if until is not None and re.search(until, screen.text):
                return screen
            self.replies(screen)
        return None

    def replies(self, screen: Screen) -> None:
        answer = self.answers_to(screen)
        self.screens.append(screen)
        self.answers.append(answer)
        self.types(answer)

    def leaves(self) -> None:
        """Read until the program has ended."""
        self.terminal.expect(pexpect.EOF)
        self.seen += self.terminal.before
        self.terminal.wait()
        self.terminal.close()

    def search(self) -> list[float]:
        """Give the instants at which something appeared during the last search."""
        whole = "".join(text for _at, text in self.clock.seen)
        begin = whole.rindex("Searching (read only")
        end = whole.index("Which one do you want", begin)
        instants, place = [], 0
        for at, text in self.clock.seen:
            place += len(text)
            if begin <= place <= end + len(text):
                instants.append(at)
        return instants

    def is_killed(self) -> None:
        """End the program as a power cut would."""
        self.terminal.kill(9)
        self.terminal.expect(pexpect.EOF)
        self.terminal.wait()
        self.terminal.close()

    # --- judgement ----------------------------------------------------------------------------

    def next_device(self) -> str:
        return next(name for name in self.knows.displays if name not in self.done)

    def compares(self, screen: Screen) -> str:
        """Look at the display of the device that is named there, and at the screen."""
        name = next(name for name in self.knows.displays if name in screen.text)
        shown = dict(re.findall(r"^  (\S.*?) {2,}(-?[\d.]+)", screen.text, re.MULTILINE))
        display = self.knows.displays[name]
        same = [float(shown[word]) == value for word, value in display.items() if word in shown]
        if same and all(same):
            self.done.append(name)
            return screen.choice("yes", "是")
        return screen.choice("no", "否")


def enter(_person: Beginner, _screen: Screen) -> str:
    return ""


def picks(*words: str) -> Callable[[Beginner, Screen], str]:
    return lambda _person, screen: screen.choice(*words)


def _next(person: Beginner, screen: Screen) -> str:
    if len(person.done) == len(person.knows.displays):
        return screen.choice("nothing more", "没有了", "不再", "完")
    return screen.choice("that was found", "another device on", "已找到", "找到", "另一台")


RULES: list[Rule] = [
    (r"Which language", picks("English")),
    (r"Where is this gateway", lambda person, _screen: person.knows.site),
    (r"A name for this gateway", enter),
    (r"Something here needs care", picks("go on")),
    (r"What do you connect\?", picks("RS-485")),
    (r"What do you connect next", _next),
    (r"On which line", enter),
    (r"Which adapter", enter),
    (r"Which one do you want", lambda person, screen: screen.choice(person.next_device())),
    (r"Which device is it", lambda person, screen: screen.choice(person.next_device())),
    (r"match the display", lambda person, screen: person.compares(screen)),
    (r"What shall be collected", enter),
    (r"short name for this device", enter),
    (r"What do people call it", enter),
    (r"How often", enter),
    (r"Where shall the readings go", picks("in this factory")),
    (r"broker's address", lambda person, _screen: person.knows.broker),
    (r"User name", enter),
    (r"Everything as you want it", picks("start now")),
    (r"Does it come back by itself", picks("another time")),
    (r"Who has set this up", lambda _person, _screen: "Wang Fang"),
    (r"[Rr]eport", enter),
    (r"[Tt]emplate", enter),
]

IN_CHINESE: list[Rule] = [
    (r"Which language", picks("中文")),
    (r"本网关在哪", lambda person, _screen: person.knows.site),
    (r"需要处理", picks("继续")),
    (r"您要接什么", picks("RS-485")),
    (r"现在设置哪一台|是哪台设备", lambda person, screen: screen.choice(person.next_device())),
    (r"显示一致吗", lambda person, screen: person.compares(screen)),
    (r"接下来|再接什么|还要接什么", _next),
    (r"服务器的地址|服务器地址", lambda person, _screen: person.knows.broker),
    (r"断电|自动恢复", picks("以后", "下次", "另")),
    (r"谁", lambda _person, _screen: "王芳"),
    (r"> $", enter),
]
"""The same person, who reads Chinese; what has a default that does is answered by Enter."""
