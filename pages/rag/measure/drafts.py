"""Questions that a model drafts from the passages: each accepted or dropped by the person."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.jobs import Job
from core.rag import drafting, studies
from core.rag.drafting import Draft
from core.rag.values import Collection
from core.workbench import Workbench
from pages.rag.measure import questions, running
from pages.ui import error_box, model_picker
from pages.ui.words import _

KIND = "draft-questions"


def show(workbench: Workbench, me: str, collection: Collection) -> None:
    """Draws the folded part."""
    title = _("Draft questions from the passages")
    box = st.expander(title, icon=":material/edit_note:", key=f"drafts-{collection.id}", on_change="rerun")
    if not box.open:
        return
    with box:
        st.caption(
            _(
                "A model writes one question of each of some passages; the passage is where its answer is. A small "
                "model writes many that nobody would ask: keep the good ones only."
            )
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            model_id = model_picker.show("drafts-model", workbench, me, None)
            wanted = int(st.number_input(_("Questions"), 1, 200, 10, key="drafts-number", width=140))

        def work(job: Job) -> list[Draft]:
            chunks = drafting.sample(workbench.collections.chunks(me, collection.id), wanted)
            return studies.draft(job, workbench.answers, workbench.chat_model(me, model_id), chunks)

        running.show(
            workbench,
            me,
            KIND,
            collection.id,
            work,
            label=_("Draft"),
            help=_("The same passages are taken each time."),
            draw=partial(_draw, collection),
        )


def _draw(collection: Collection, drafts: list[Draft]) -> None:
    decided: set[str] = st.session_state.setdefault(f"drafts-decided-{collection.id}", set())
    waiting = [one for one in drafts if one.chunk.id not in decided]
    if not waiting:
        st.caption(_("All drafts are decided."))
    for one in waiting:
        with st.container(border=True, key=f"draft-{one.chunk.id}"):
            st.markdown(f"**{error_box.plain(one.question)}**")
            if one.answer:
                st.caption(error_box.plain(one.answer))
            if one.warning:
                st.caption(":material/warning: " + _(one.warning))
            st.text(" ".join(one.chunk.text.split())[:300])
            with st.container(horizontal=True):
                for label, icon, keep in ((_("Keep"), "check", True), (_("Drop"), "close", False)):
                    st.button(
                        label,
                        key=f"draft-{icon}-{one.chunk.id}",
                        icon=f":material/{icon}:",
                        on_click=partial(_decide, collection, one, keep),
                    )


def _decide(collection: Collection, draft: Draft, keep: bool) -> None:
    st.session_state[f"drafts-decided-{collection.id}"].add(draft.chunk.id)
    if keep:
        number = len(questions.kept(collection)) + 1
        questions.keep(collection, drafting.accepted(draft, f"draft-{number}"))
