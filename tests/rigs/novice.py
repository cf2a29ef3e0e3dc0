"""Somebody at a real terminal who sets up a gateway: reads what stands there, and types."""

import os
import re
import sys
from pathlib import Path

import pexpect

EDGE_AGENT = [sys.executable, "-c", "from edge_agent.cli import main; raise SystemExit(main())"]


class Novice:
    """Somebody at a terminal, who reads what stands there and types."""

    def __init__(
        self,
        folder: Path,
        *words: str,
        env: dict[str, str] | None = None,
        encoding: str = "utf-8",
    ) -> None:
        self.config = folder / "config.yaml"
        surroundings = {**os.environ, "TERM": "dumb", "LANG": "C", **(env or {})}
        self.terminal = pexpect.spawn(
            EDGE_AGENT[0],
            [*EDGE_AGENT[1:], "setup", "-c", str(self.config), *words],
            env=surroundings,
            encoding=encoding,
            codec_errors="replace",  # a terminal may be told to speak something else
            timeout=60,
            dimensions=(24, 80),
        )
        self.terminal.delaybeforesend = None  # it waits for prompts already
        self.seen = ""
        self.screen = ""  # what was shown last
        self.answers = 0

    def reads(self, text: str) -> str:
        """Wait until this stands on the screen and give what stood before it."""
        self.terminal.expect_exact(text)
        part = self.terminal.before + self.terminal.after
        self.seen += part
        return part

    def does(self, question: str, answer: str) -> str:
        """Wait for a question, then for its prompt, and answer."""
        part = self.reads(question) + self._prompt()
        self.types(answer)
        self.answers += 1
        return part

    def passes_the_box(self) -> None:
        """Go on past the gateway's own check, which asks only where something needs care."""
        self.terminal.expect(r"-- ([12])/5")
        self.seen += self.terminal.before + self.terminal.after
        if self.terminal.match[1] == "1":
            self._prompt()
            self.types("2")

    def waits(self) -> bool:
        """Wait until something is asked; False if the program has ended instead."""
        self.terminal.expect([r"> $", pexpect.EOF])
        after = "" if self.terminal.after is pexpect.EOF else self.terminal.after
        self.screen = self.terminal.before + after
        self.seen += self.screen
        return bool(after)

    def question(self) -> str:
        """Give what is asked now, without what was shown before it."""
        return re.split(r"^-- ?.*-{8,}\r?$", self.screen, flags=re.MULTILINE)[-1]

    def is_at_the_box(self) -> bool:
        """Tell whether the gateway's own check asks; it does where something needs care."""
        return "-> " in self.question()

    def walks(self, answers: list[str | None]) -> list[str]:
        """Answer whatever is asked, in order; None is for the gateway's own check.

        Returns:
            What was asked.
        """
        asked = []
        for answer in answers:
            if answer is None:
                if self.is_at_the_box():
                    asked.append(self.question())
                    self.types("2")
                    self.waits()
                continue
            if not asked:
                self.waits()
            asked.append(self.question())
            self.types(answer)
            self.waits()
        return asked

    def types(self, text: str) -> None:
        self.terminal.send(text + "\n")

    def _prompt(self) -> str:
        self.terminal.expect(r"> ")
        part = self.terminal.before + self.terminal.after
        self.seen += part
        return part

    def ends(self) -> int:
        """Wait for the end of the program and give its exit code."""
        self.terminal.expect(pexpect.EOF)
        self.seen += self.terminal.before
        self.terminal.wait()
        self.terminal.close()
        return self.terminal.exitstatus

    def is_killed(self) -> None:
        self.terminal.kill(9)
        self.terminal.expect(pexpect.EOF)
        self.terminal.wait()
        self.terminal.close()
