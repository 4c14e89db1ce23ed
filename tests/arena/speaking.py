"""An OpenAI-compatible server on loopback whose models say what a test wants, when it wants it.

with Speaking(alpha="I am first.", beta="I am second.") as server:
    server.connected(workbench)          # the ids of its models
    server.held.clear()                  # nobody says a word until it is set
    server.failing.add("beta")           # refused, until it is discarded
"""

from __future__ import annotations

import json
import re
import threading

from core.workbench import Workbench
from tests.models.remote.misbehaving import Handler, Misbehaving

PATIENCE_S = 60.0


class _Speaker(Handler):
    home: Speaking

    def do_POST(self) -> None:  # the name is http.server's
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.close_connection = True
        self.home.order.append(body["model"])
        self.home.bodies.append(body)
        if body["model"] in self.home.failing:
            self.refuse(400, f"{body['model']} does not like this")
            return
        try:
            self.head()
            self.event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
            self.home.held.wait(PATIENCE_S)
            self.say(*re.findall(r"\s*\S+", self.home.said[body["model"]]))
            self.done()
        except OSError:
            self.home.dropped.set()

    def do_GET(self) -> None:
        self.close_connection = True
        self.answer({"data": [{"id": name, "meta": self.home.meta.get(name, {})} for name in self.home.said]})


class Speaking(Misbehaving):
    """The server. `order`: the models as they were asked; `bodies`: what with. `meta`: what its list says of a model,
    as llama.cpp's does: `n_params`, `ftype`.
    """

    def __init__(self, **said: str) -> None:
        super().__init__()
        self.said = said
        self.failing: set[str] = set()
        self.order: list[str] = []
        self.bodies: list[dict[str, object]] = []
        self.meta: dict[str, dict[str, object]] = {}
        self.held = threading.Event()
        self.held.set()
        self._server.RequestHandlerClass = type("Speaker", (_Speaker,), {"home": self})

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def connected(self, workbench: Workbench, owner: str = "person") -> list[str]:
        """Connects it; the ids of its models."""
        connection = workbench.connections.connect(owner, self.base_url, names=tuple(self.said))
        return [model.id for model in connection.models]

    def __exit__(self, *details: object) -> None:
        self.held.set()
        super().__exit__(*details)
