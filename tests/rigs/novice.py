"""Somebody at a real terminal who sets up a gateway: reads what stands there, and types."""

import os
import sys
from pathlib import Path

import pexpect

EDGE_AGENT = [sys.executable, "-c", "from edge_agent.cli import main; raise SystemExit(main())"]


class Novice:
    """Somebody at a terminal, who reads what stands there and types."""

    def __init__(self, folder: Path, *words: str, env: dict[str, str] | None = None) -> None:
        self.config = folder / "config.yaml"
        surroundings = {**os.environ, "TERM": "dumb", "LANG": "C", **(env or {})}
        self.terminal = pexpect.spawn(
            EDGE_AGENT[0],
            [*EDGE_AGENT[1:], "setup", "-c", str(self.config), *words],
            env=surroundings,
            encoding="utf-8",
            codec_errors="replace",  # a terminal may be told to speak something else
            timeout=10,
            dimensions=(24, 80),
        )
        self.terminal.delaybeforesend = None  # it waits for prompts already
        self.seen = ""
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
        self.terminal.close()
        return self.terminal.exitstatus

    def is_killed(self) -> None:
        self.terminal.kill(9)
        self.terminal.expect(pexpect.EOF)
        self.terminal.close()
