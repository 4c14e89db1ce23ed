"""Words for the tests of a class's vote: what is voted on, and phones that ask over real HTTP."""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from core.arena.votes import Side
from core.classroom.ballots import Paper
from core.messages import Message

QUESTION = "Why is the sky blue?"
ANSWER_A, ANSWER_B = "Because of <b>Rayleigh</b> scattering.", "It is not.\nLook again."
SECRETS = ("Secret Parrot", "Secret Owl")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def side(label: str, answer: str) -> Side:
    said = (Message("user", "Hello?"), Message("assistant", "Yes."), Message("user", QUESTION))
    return Side(
        label=label,
        model_id=f"https://{label}/v1#model".replace(" ", "-"),
        model_name=label,
        provider=f"{label} Inc.",
        conversation=(*said, Message("assistant", answer)),
    )


def paper(**fields: object) -> Paper:
    """Two answers of two models whose names are secret."""
    parts: dict[str, object] = {"a": side(SECRETS[0], ANSWER_A), "b": side(SECRETS[1], ANSWER_B), "duel_id": "duel"}
    return Paper(**{**parts, **fields})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def chosen(self) -> str | None:
        """The button that is marked as this device's vote."""
        found = re.search(r'value="(\w+)" class="chosen"', self.text)
        return found[1] if found else None


class Phone:
    """A browser: one connection for each request, and its cookie. `url`: a poll's."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.path = parts.netloc, parts.path
        self.cookie = ""

    def look(self, path: str | None = None, **headers: str) -> Reply:
        return self.ask("GET", path or self.path, headers=headers)

    def vote(self, choice: str, *, headers: dict[str, str] | None = None, **fields: list[str]) -> Reply:
        body = urlencode({"choice": choice, **fields}, doseq=True)
        return self.ask("POST", self.path, body.encode(), {**FORM, **(headers or {})})

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
        connection = http.client.HTTPConnection(self.host, timeout=20)
        sent = {"Connection": "close", **({"Cookie": self.cookie} if self.cookie else {}), **(headers or {})}
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            reply = Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read().decode())
        finally:
            connection.close()
        if "set-cookie" in reply.headers:
            self.cookie = reply.headers["set-cookie"].split(";")[0]
        return reply


def reachable(url: str) -> bool:
    """Whether anything listens there."""
    try:
        Phone(url).look("/")
    except ConnectionRefusedError:
        return False
    return True
