"""A person at the Chat page, for page tests: AppTest over the whole frame, with the real workbench behind it.

AppTest runs no JavaScript, so nothing asks for a rerun when an answer has ended: `answered` waits for it and runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from streamlit.testing.v1 import AppTest

from core.answers import Answer
from core.store.records import StoredMessage
from core.workbench import Workbench
from pages.ui.owner import PERSON
from tests.e2e.serving import PATIENCE_S, ROOT


class Sitting:
    """One session of one browser. `address`: what stands in the page's address, as `lang="fr"`."""

    def __init__(self, workbench: Workbench, **address: str) -> None:
        self.workbench = workbench
        self.at = AppTest.from_file(ROOT / "pages" / "ui" / "frame.py", default_timeout=PATIENCE_S)
        self.at.query_params.update(address)
        self.run()

    def run(self) -> Sitting:
        for box in self.at.selectbox:
            # AppTest takes a typed option only where it is among those that were offered.
            label = box.format_func(box.value)
            if label not in box.options:
                box.options.append(label)
        self.at.run()
        assert not self.at.exception
        return self

    def set(self, **settings: Any) -> Sitting:
        """Sets widgets by name: system, temperature, max_tokens, overflow, model."""
        for name, value in settings.items():
            widget = self.at.get_by_key(f"{name.replace('_', '-')}-{self.id or 'new'}")
            if name == "model":
                widget.options.append(value)
            widget.set_value(value)
        return self.run()

    def ask(self, question: str) -> Sitting:
        self.at.chat_input(key="question").set_value(question)
        return self.run()

    def press(self, key: str) -> Sitting:
        """Presses the button of this key."""
        self.at.button(key=key).click()
        return self.run()

    def answered(self) -> Sitting:
        """Waits for the answer that is coming, and draws the page again."""
        answer = self.answer()
        assert answer is not None and answer.wait(PATIENCE_S)
        return self.run()

    @property
    def id(self) -> str | None:
        """The conversation that is open."""
        return self.at.query_params.get("c")

    def answer(self) -> Answer | None:
        """The run of the newest answer."""
        return self.workbench.chat.running(self.messages()[-1])

    def messages(self) -> list[StoredMessage]:
        """What is kept of the conversation that is open."""
        return list(self.workbench.conversations.messages(PERSON, self.id)) if self.id else []

    def shown(self) -> list[str]:
        """The texts of the messages on the page, an answer that is coming left out."""
        return [text for message in self.at.chat_message for text in _texts(message)]

    def labels(self) -> list[str]:
        """Of all buttons."""
        return [button.label for button in self.at.button]

    def opened(self) -> list[str]:
        """The conversations in the list."""
        return [button.label for button in self.at.button if (button.key or "").startswith("open-")]

    def errors(self) -> list[str]:
        """The error boxes, Markdown's backslashes left out."""
        return [error.value.replace("\\", "") for error in self.at.error]

    def captions(self) -> list[str]:
        return [caption.value for caption in self.at.caption]

    def components(self, name: str) -> list[dict[str, Any]]:
        """What the components of one kind were given."""
        protos = [element.proto for element in _drawn(self.at) if element.type == "bidi_component"]
        return [json.loads(proto.json) for proto in protos if proto.component_name == name]


def _texts(message: Any) -> list[str]:
    return [child.value for child in message.children.values() if child.type in ("text", "markdown")]


def _drawn(block: Any) -> Iterator[Any]:
    """Every element in a block, in order."""
    for child in block.main.children.values() if isinstance(block, AppTest) else block.children.values():
        if hasattr(child, "children"):
            yield from _drawn(child)
        else:
            yield child
