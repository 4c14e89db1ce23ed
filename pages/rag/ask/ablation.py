"""What the documents change: one question answered several ways, side by side, with time, tokens and price."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
import streamlit as st

from core.chat import Asking
from core.errors import WorkbenchError
from core.jobs import Job
from core.messages import ChatRequest, Message
from core.models.base import ChatModel
from core.models.in_turn import InTurn
from core.rag import ablation, words
from core.rag.ablation import Row
from core.rag.grounding import Grounding, How
from core.rag.values import Collection
from core.store.records import Conversation
from core.workbench import Workbench
from pages.rag.ask import answer_view, searching
from pages.ui import error_box, markdown
from pages.ui.words import _, money, percent, rate, seconds, tokens

KIND = "ablation"
LOOK_S = 1.0
ABREAST = 3


def names() -> dict[str, str]:
    """What each way is called."""
    methods = searching.method_names()
    return {
        "none": _("No documents"),
        "whole": _("Whole documents"),
        **{name: methods[name] for name in ("dense", "bm25", "hybrid", "rerank")},
    }


def show(
    workbench: Workbench,
    me: str,
    collection: Collection | None,
    conversation: Conversation | None,
    asking: Asking,
    how: How,
) -> None:
    """Draws the folded part, once there is a question to ask so."""
    question = _last_question(workbench, me, conversation)
    if question is None or collection is None:
        return
    title = _("What do the documents change?")
    box = st.expander(title, icon=":material/compare:", key=f"ablation-{collection.id}", on_change="rerun")
    if not box.open:
        return
    with box:
        st.caption(
            _(
                "The last question is answered anew in each of these ways, one after another, so that their times "
                "can be compared. A model that is paid is paid for each."
            )
        )
        known = names()
        ways = ablation.ways(how)
        chosen = st.pills(
            _("Ways"),
            list(ways),
            selection_mode="multi",
            default=list(ways),
            format_func=known.__getitem__,
            key="ablation-ways",
        )
        job = _job(workbench, me, collection)
        running = job is not None and job.state == "running"
        st.button(
            _("Answer it in all these ways"),
            key="ablation-start",
            icon=":material/play_arrow:",
            disabled=running or not chosen,
            on_click=partial(_start, workbench, me, collection, question, asking, {n: ways[n] for n in chosen}),
        )
        st.fragment(_rows, run_every=LOOK_S if running else None)(workbench, me, collection, running)


def _last_question(workbench: Workbench, me: str, conversation: Conversation | None) -> str | None:
    if conversation is None:
        return None
    messages = workbench.conversations.messages(me, conversation.id, last=4)
    return next((one.content for one in reversed(messages) if one.role == "user"), None)


def _job(workbench: Workbench, me: str, collection: Collection) -> Job | None:
    return next((job for job in workbench.jobs.list(me, KIND) if job.subject == collection.id), None)


def _start(
    workbench: Workbench, me: str, collection: Collection, question: str, asking: Asking, chosen: dict[str, How]
) -> None:
    try:
        workbench.chat_model(me, asking.model_id, asking.settings)
    except WorkbenchError as error:
        error_box.show(error)
        return
    own = [Message("system", asking.system_prompt)] if asking.system_prompt.strip() else []
    request = ChatRequest(
        messages=(*own, Message("user", question)),
        sampling=msgspec.structs.replace(asking.sampling, seed=asking.sampling.seed or 1),
        max_tokens=asking.max_tokens,
        stop=asking.stop,
        overflow=asking.overflow,
    )

    def asked(how: How, told: Callable[[Grounding], None]) -> ChatModel:
        model = workbench.chat_model(me, asking.model_id, asking.settings)
        standing = InTurn(model, workbench.turns) if model.info.local else model
        french = words.language(question) == "fr"
        return workbench.document_chat.model(me, standing, collection.id, how, told, french=french)

    workbench.jobs.start(
        me, KIND, collection.id, lambda job: ablation.run(job, workbench.answers, request, chosen, asked)
    )


def _rows(workbench: Workbench, me: str, collection: Collection, ran: bool) -> None:
    job = _job(workbench, me, collection)
    if job is None:
        return
    if ran != (job.state == "running"):
        st.rerun()
    known = names()
    if job.state == "running":
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(job.fraction or 0.0, text=known.get(job.note, ""))
            st.button(_("Stop"), key="ablation-stop", icon=":material/stop:", on_click=job.cancel)
    if job.error is not None:
        error_box.show(job.error)
    rows: list[Row] = list(job.result or ())
    for begin in range(0, len(rows), ABREAST):
        for column, row in zip(st.columns(ABREAST), rows[begin : begin + ABREAST], strict=False):
            with column.container(border=True, key=f"ablation-row-{row.name}"):
                _row(row, known[row.name])


def _row(row: Row, name: str) -> None:
    st.markdown(f"**{name}**")
    if row.error is not None:
        error_box.show(row.error)
        return
    count = len(row.grounding.passages) if row.grounding is not None else 0
    if row.grounding is not None and count:
        from core.rag import citations

        judged = citations.judged(row.text, row.grounding)
        markdown.show(answer_view.marked(row.text, judged, count))
        telling = [one for one in judged if one.verdict != "unjudged"]
        supported = sum(one.verdict == "supported" for one in telling)
        share = percent(supported / len(telling)) if telling else "–"
        st.caption(_("Sentences that rest on what they cite: {share}", share=share))
    else:
        markdown.show(row.text)
    if row.finished is None:
        return
    usage, timings = row.finished.usage, row.finished.timings
    search = row.grounding.search_s if row.grounding is not None else 0.0
    parts = [
        _("search {time}", time=seconds(search)) if search else "",
        _("first token {time}", time=seconds(timings.ttft_s)),
        _("all {time}", time=seconds(timings.end_to_end_s)),
        _("prompt {tokens}", tokens=tokens(usage.prompt_tokens, estimated=usage.estimated)),
        _("answer {tokens}", tokens=tokens(usage.generated_tokens, estimated=usage.estimated)),
        rate(timings.decode_rate),
        money(row.finished.cost.amount, row.finished.cost.currency) if row.finished.cost else _("free"),
    ]
    st.caption(" · ".join(part for part in parts if part))
