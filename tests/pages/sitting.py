"""A person at the Chat page, for page tests: AppTest over the whole frame, with the real workbench behind it.

AppTest runs no JavaScript, so nothing asks for a rerun when an answer has ended: `answered` waits for it and runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from streamlit.components.v2.bidi_component.main import _make_trigger_id
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
        self._mend()
        self.at.run()
        assert not self.at.exception
        return self

    def _mend(self) -> None:
        """AppTest takes a typed option, or one in another language, only where it is among those that were offered."""
        for box in self.at.selectbox:
            label = box.format_func(box.value)
            if label not in box.options:
                box.options.append(label)

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

    def act(self, do: str, id: str = "", text: str = "") -> Sitting:
        """What the list of conversations in the sidebar sends when a person does something there."""
        (rows,) = self._components("conversation_rows")
        self._mend()
        states = self.at._tree.get_widget_states()
        sent = [{"event": "act", "value": {"do": do, "id": id, "text": text}}]
        states.widgets.add(id=_make_trigger_id(rows.id, "events"), json_trigger_value=json.dumps(sent))
        self.at._run(states)
        assert not self.at.exception
        return self

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
        """The titles in the list of conversations."""
        return [row["title"] for section in self.listed()["sections"] for row in section["rows"]]

    def listed(self) -> dict[str, Any]:
        """What the list of conversations shows."""
        (data,) = self.components("conversation_rows")
        return data

    def errors(self) -> list[str]:
        """The error boxes, Markdown's backslashes left out."""
        return [error.value.replace("\\", "") for error in self.at.error]

    def captions(self) -> list[str]:
        return [caption.value for caption in self.at.caption]

    def components(self, name: str) -> list[dict[str, Any]]:
        """What the components of one kind were given."""
        return [json.loads(proto.json)[0] for proto in self._components(name)]

    def _components(self, name: str) -> list[Any]:
        drawn = [element for block in (self.at.sidebar, self.at.main) for element in _drawn(block)]
        protos = [element.proto for element in drawn if element.type == "bidi_component"]
        return [proto for proto in protos if proto.component_name == name]


def _texts(message: Any) -> list[str]:
    return [child.value for child in message.children.values() if child.type in ("text", "markdown")]


def _drawn(block: Any) -> Iterator[Any]:
    """Every element in a block, in order."""
    for child in block.children.values():
        if hasattr(child, "children"):
            yield from _drawn(child)
        else:
            yield child
