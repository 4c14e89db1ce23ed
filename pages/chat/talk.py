"""What every part of the transcript needs, and how it acts: an action that fails says so where it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.chat import Asking
from core.errors import WorkbenchError
from core.store.records import Conversation
from core.workbench import Workbench
from pages.chat import asking_panel
from pages.ui import error_box


@dataclass(frozen=True)
class Talk:
    """An open conversation, its owner, and how it is asked now."""

    workbench: Workbench
    owner: str
    conversation: Conversation
    asking: Asking

    def act(self, do: Callable[[], object]) -> None:
        """Does it and draws the page again; what goes wrong stands here, in a red box."""
        try:
            do()
        except WorkbenchError as error:
            error_box.show(error)
        else:
            st.rerun()

    def answer(self, do: Callable[[], object]) -> None:
        """`act` for what starts an answer: when it can be asked, the answer that is coming is stopped first."""

        def ask() -> None:
            asking_panel.check(self.workbench, self.owner, self.conversation, self.asking)
            self.workbench.chat.stop(self.owner, self.conversation.id)
            do()

        self.act(ask)
