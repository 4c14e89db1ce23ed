"""Answers to the questions, judged by a model: are they faithful to the passages, and to the point? Optional."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.jobs import Job
from core.models.base import ChatModel
from core.rag import judging, studies, words
from core.rag.grounding import How
from core.rag.question_sets import Question
from core.rag.studies import JudgedAnswer, Told
from core.rag.values import Collection
from core.workbench import Workbench
from pages.rag.measure import measured, running
from pages.ui import error_box, model_picker
from pages.ui.words import _, number

KIND = "rag-judge"


def show(workbench: Workbench, me: str, collection: Collection, asked: Sequence[Question]) -> None:
    """Draws the folded part."""
    title = _("Are the answers faithful? Ask a judge")
    box = st.expander(title, icon=":material/gavel:", key=f"judge-{collection.id}", on_change="rerun")
    if not box.open:
        return
    with box:
        st.caption(
            _(
                "One model answers the questions from the documents, another one grades each answer from 0 to 4. "
                "Judges err, small ones much: read some of their reasons before you believe the mean."
            )
        )
        answering = model_picker.show("judge-answering", workbench, me, None)
        st.caption(_("It answers. And this one judges:"))
        judge_id = model_picker.show("judge-judging", workbench, me, None)
        most = min(len(asked), 50)
        wanted = int(st.number_input(_("Questions"), 1, most, min(10, most), key="judge-number", width=140))

        def work(job: Job) -> list[JudgedAnswer]:
            def answered(question: Question, told: Told) -> ChatModel:
                model = workbench.chat_model(me, answering)
                french = words.language(question.text) == "fr"
                return workbench.document_chat.model(me, model, collection.id, How(), told, french=french)

            judge = workbench.chat_model(me, judge_id)
            return studies.judge(job, workbench.answers, asked[:wanted], answered, judge)

        running.show(
            workbench,
            me,
            KIND,
            measured.subject(collection, asked),
            work,
            label=_("Answer and judge"),
            help=_("Two questions to a model for each question. A model that is paid is paid for each."),
            draw=_draw,
        )


def _draw(result: list[JudgedAnswer]) -> None:
    grades = [one.grades for one in result if one.grades is not None]
    if grades:
        faithful = sum(one.faithful for one in grades) / len(grades)
        relevant = sum(one.relevant for one in grades) / len(grades)
        left, right = st.columns(2)
        best = number(judging.BEST)
        left.metric(_("faithful, says the judge"), f"{number(round(faithful, 2))} / {best}")
        right.metric(_("to the point, says the judge"), f"{number(round(relevant, 2))} / {best}")
    for one in result:
        with st.expander(error_box.plain(one.question.text)):
            st.text(one.answer)
            if one.grades is not None:
                st.caption(
                    _(
                        "faithful {faithful}, to the point {relevant}: {reason}",
                        faithful=number(one.grades.faithful),
                        relevant=number(one.grades.relevant),
                        reason=error_box.plain(one.grades.reason),
                    )
                )
            if one.error is not None:
                error_box.show(one.error)
