"""An OpenAI-compatible server on loopback whose models write at a pace, for tests of answers side by side.

with Pacing(hare=Pace(words=40, gap_s=0.01), tortoise=Pace(words=400, gap_s=0.1)) as server:
    server.id("hare")            # the id of one of its models
    server.failing.add("hare")   # refused, until it is discarded
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass

from tests.models.remote.misbehaving import Handler, Misbehaving


@dataclass(frozen=True)
class Pace:
    """So many words, so long after each other, seconds."""

    words: int
    gap_s: float = 0.0


class _Runner(Handler):
    home: Pacing

    def do_POST(self) -> None:  # the name is http.server's
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.close_connection = True
        name = body["model"]
        self.home.bodies.append(body)
        if name in self.home.failing:
            self.refuse(500, f"{name} has fallen")
            return
        try:
            self.head()
            pace = self.home.paces[name]
            for number in range(pace.words):
                self.say(f"{name}{number} ")
                self.home.ending.wait(pace.gap_s)
            self.done(usage={"prompt_tokens": 5, "completion_tokens": pace.words, "total_tokens": 5 + pace.words})
        except OSError:
            self.home.dropped.set()


class Pacing(Misbehaving):
    """The server. `bodies`: what came, in that order."""

    def __init__(self, **paces: Pace) -> None:
        super().__init__()
        self.paces = paces
        self.failing: set[str] = set()
        self.bodies: list[dict[str, object]] = []
        self.ending = threading.Event()
        self._server.RequestHandlerClass = type("Runner", (_Runner,), {"home": self})

    def id(self, name: str) -> str:
        """Of one of its models."""
        return f"http://127.0.0.1:{self._server.server_port}/v1#{name}"

    def text(self, name: str) -> str:
        """All that it says."""
        return "".join(f"{name}{number} " for number in range(self.paces[name].words))

    def __exit__(self, *details: object) -> None:
        self.ending.set()
        super().__exit__(*details)
