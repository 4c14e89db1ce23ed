"""Titles that a local model gives to conversations while nobody waits for it.

One thread, started with the first wish. It waits until no answer has been in progress for a few seconds and asks the
model of the conversation, where that is in memory already; when a person asks anything meanwhile, it gives way within a
tenth of a second and tries again later. A remote model is never asked: it would cost money and send what was said once
more. A title that says nothing of the conversation is dropped, and the first words stay. Knows no page.
"""

from __future__ import annotations

import logging
import re
import threading
import time
import unicodedata
from collections.abc import Callable, Generator
from contextlib import closing
from typing import cast

from core.answers import Answers
from core.chat import asking_of
from core.errors import WorkbenchError
from core.events import Event, Finished, Text
from core.messages import ChatRequest, Message, Sampling
from core.models.base import ChatModel
from core.models.local.engine import Engine
from core.models.local.model_settings import ModelSettings
from core.models.local.shelf import LocalModel
from core.store.conversations import Conversations
from core.store.library import Library
from core.store.records import Conversation

IDLE_S = 4.0
LOOK_S = 0.1

WORTH_CHARACTERS = 40
"""A question of at most so many characters is its own title: it fits the list."""

MOST_WORDS = 8
CONTENT_LETTERS = 4
"""A word of fewer letters says little of what a text is about."""

STEM_LETTERS = 5
CAPABLE_PARAMETERS = 1_000_000_000
"""Below, a model that uses a word which was never said is guessing, or has changed the language."""

CAPABLE_OWN_WORDS = 2

READ_CHARACTERS = 500
MAX_TOKENS = 24

_SHOWN = (
    Message("system", "You write the title of a text, 2 to 6 words, in its language."),
    Message("user", "Can you tell me something about the history of Rome, I need it for school?"),
    Message("assistant", "Title: History of Rome"),
    Message("user", "I want to know how I can boil an egg so that the yolk stays soft."),
    Message("assistant", "Title: Boiling a soft egg"),
    Message("user", "Quels sont les plus longs fleuves d'Europe et par quels pays passent-ils ?"),
    Message("assistant", "Title: Les plus longs fleuves d'Europe"),
)
_LABEL = re.compile(r"^\W*(?:title|titre|subject|sujet)\s*:", re.IGNORECASE)
_AROUND = " \t\"'“”„«»‘’`*_#.,;:-–—\u00a0\u202f"

_log = logging.getLogger(__name__)


class Titles:
    """Gives titles in idle time. `model` gives an owner the model of an id, loaded so, or raises.

    idle_s: seconds without any answer in progress before a model is asked. Thread-safe.
    """

    def __init__(
        self,
        conversations: Conversations,
        library: Library,
        answers: Answers,
        model: Callable[[str, str | None, ModelSettings], ChatModel],
        *,
        idle_s: float = IDLE_S,
    ) -> None:
        self._conversations = conversations
        self._library = library
        self._answers = answers
        self._model = model
        self._idle_s = idle_s
        self._changed = threading.Condition()
        self._wishes: dict[str, str] = {}
        self._done: set[str] = set()
        self._thread: threading.Thread | None = None
        self._closed = False

    def wish(self, owner: str, conversation_id: str) -> None:
        """Asks for a title, if the conversation wants one; returns at once. It may be wished at any time and often."""
        with self._changed:
            if self._closed or conversation_id in self._done or conversation_id in self._wishes:
                return
            self._wishes[conversation_id] = owner
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="titles", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many conversations may still get a title."""
        return len(self._wishes)

    def close(self, timeout: float = 5.0) -> None:
        """Gives way, and makes no more titles. Waits at most `timeout` seconds for the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        while self._idle():
            id, owner = next(iter(self._wishes.items()))
            settled = True
            try:
                settled = self._settle(owner, id)
            except WorkbenchError:
                self._done.add(id)
            except Exception:
                _log.exception("A title could not be made")
                self._done.add(id)
            with self._changed:
                if settled:
                    del self._wishes[id]

    def _idle(self) -> bool:
        """Waits until there is a wish and it has been quiet long enough; False when there is to be no more of it."""
        quiet_since = time.monotonic()
        with self._changed:
            while not self._closed:
                if not self._wishes:
                    self._changed.wait()
                    quiet_since = time.monotonic()
                elif self._answers.busy:
                    self._changed.wait(LOOK_S)
                    quiet_since = time.monotonic()
                elif time.monotonic() - quiet_since >= self._idle_s:
                    return True
                else:
                    self._changed.wait(LOOK_S)
        return False

    def _settle(self, owner: str, id: str) -> bool:
        """Gives the title, or finds that there is none to give; False when it had to give way."""
        if not any(entry.id == id for entry in self._library.untitled(owner, limit=100)):
            return True  # it may want one later: its first answer was cut, or it is being written
        conversation = self._conversations.get(owner, id)
        title = conversation.title
        said = [message.content for message in self._conversations.messages(owner, id)[:2]]
        if len(said) < 2:
            return True
        question, answer = said
        if len(" ".join(question.split())) > WORTH_CHARACTERS:
            model = self._local(owner, conversation)
            engine = model.in_memory() if model else None
            if model is None or engine is None:
                return True
            written = self._written(model, engine, question)
            if written is None:
                return False
            capable = (model.info.parameters or 0) >= CAPABLE_PARAMETERS
            own_words = CAPABLE_OWN_WORDS if capable else 0
            made = title_from(written, question=question, answer=answer, own_words=own_words)
            title = made if made and len(made) < len(title) else title
        self._library.set_model_title(owner, id, title)
        self._done.add(id)
        return True

    def _local(self, owner: str, conversation: Conversation) -> LocalModel | None:
        """The model as the conversation asks it, where it is one of this machine's."""
        asking = asking_of(conversation)
        model = self._model(owner, asking.model_id, asking.settings)
        return model if isinstance(model, LocalModel) else None

    def _written(self, model: LocalModel, engine: Engine, question: str) -> str | None:
        """What the model writes; empty where it finds no end, None when somebody else asks meanwhile."""
        text = ""
        with closing(cast("Generator[Event]", model.stream(request(question)))) as stream:
            for event in stream:
                if isinstance(event, Text):
                    text += event.text
                if isinstance(event, Finished):
                    return text if event.reason == "stop" else ""
                if self._closed or self._answers.busy or engine.answering > 1:
                    return None
        return ""


def request(question: str) -> ChatRequest:
    """Asks for the title of a conversation that began with this question.

    By examples, and with the title begun for it: a small model would else answer the question.
    """
    asked = (Message("user", question[:READ_CHARACTERS]), Message("assistant", "Title:"))
    return ChatRequest(
        messages=(*_SHOWN, *asked),
        sampling=Sampling(temperature=0.0),
        max_tokens=MAX_TOKENS,
        stop=("\n",),
        continue_last=True,
    )


def title_from(text: str, *, question: str, answer: str, own_words: int = 0) -> str | None:
    """The title in what a model wrote; None where it is none.

    A title has at most 8 words, none of them twice but small ones, and one or more that were said in the question or
    the answer. Of the words that were not said it has at most `own_words`; with none, not even small ones: they would
    be of another language.
    """
    title = _LABEL.sub("", text.strip().split("\n")[0]).strip(_AROUND)
    title = " ".join(title.split())
    words, said = _words(title), set(_words(f"{question} {answer}"))
    content = [word for word in words if len(word) >= CONTENT_LETTERS or not own_words]
    telling = [word for word in words if len(word) >= CONTENT_LETTERS]
    if not telling or len(words) > MOST_WORDS or len(set(telling)) < len(telling):
        return None
    if said.isdisjoint(telling) or sum(word not in said for word in content) > own_words:
        return None
    return title[0].upper() + title[1:]


def _words(text: str) -> list[str]:
    """The words of a text, each without case, accents and its ending."""
    plain = "".join(ch for ch in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(ch))
    return [word[:STEM_LETTERS] for word in re.findall(r"\w+", plain)]
