"""How well each way of searching finds the questions: bars with intervals, a table, the questions that it misses."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from core.jobs import Job
from core.rag import evaluate, measures, rerank
from core.rag.evaluate import Measured, Row
from core.rag.question_sets import Question
from core.rag.values import Collection
from core.rag_plots import BarWords, measure_bars, measured_csv
from core.workbench import Workbench
from pages.rag.measure import running
from pages.ui import chart, error_box
from pages.ui.words import _, count, ngettext, number, percent, seconds

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

KIND = "evaluate"
MISSED = 10
"""Rank above which a question counts as missed."""

SHOWN = 20


def show(workbench: Workbench, me: str, collection: Collection, asked: Sequence[Question]) -> None:
    """Draws it."""
    folder = st.text_input(
        _("Reranker"),
        key="measure-reranker",
        placeholder=_("The folder of a cross-encoder"),
        help=_("Measured too, where one is given. It reads every candidate of every question: that takes its time."),
    ).strip()

    def work(job: Job) -> list[Measured]:
        searcher = workbench.finding.searcher(me, collection.id)
        reranker = rerank.opened(Path(folder)) if folder else None
        return evaluate.evaluate(searcher, asked, reranker=reranker, step=lambda done, total: job.step(done, total))

    running.show(
        workbench,
        me,
        KIND,
        subject(collection, asked),
        work,
        label=_("Measure"),
        help=_("Searches every question in every way. No model is asked."),
        draw=_draw,
    )


def subject(collection: Collection, asked: Sequence[Question]) -> str:
    """Names these questions of this collection as it is now."""
    told = "\0".join(f"{one.id}\0{one.text}\0{one.expected}" for one in asked)
    return f"{collection.id}.{collection.version}.{hashlib.sha256(told.encode('utf-8', 'replace')).hexdigest()[:12]}"


def names() -> dict[str, str]:
    """What each retriever is called."""
    return {
        "dense": _("Meaning"),
        "bm25": _("Keywords"),
        "hybrid": _("Both, calibrated"),
        "hybrid_rrf": _("Both, by ranks"),
        "rerank": _("Both, reranked"),
    }


def titles() -> dict[str, str]:
    """The measures as they are written."""
    return {"ndcg@10": "nDCG@10", "recall@5": "Recall@5", "recall@10": "Recall@10", "mrr": "MRR"}


def explained() -> dict[str, str]:
    """What each measure says."""
    return {
        "ndcg@10": _("nDCG@10: how far up the right ones stand among the first ten. 1 is the best order there is."),
        "recall@5": _("Recall@5: the share of the right ones that are among the first five."),
        "recall@10": _("Recall@10: the share of the right ones that are among the first ten."),
        "mrr": _("MRR: one divided by the rank of the first right one, on average."),
    }


def _draw(result: list[Measured]) -> None:
    known = names()
    measure = st.segmented_control(
        _("Measure"),
        measures.NAMES,
        default=measures.NAMES[0],
        required=True,
        format_func=titles().__getitem__,
        key="measure-which",
        label_visibility="collapsed",
    )
    st.caption(explained()[measure])
    words = BarWords(
        title=sentence(result, measure),
        measure=titles()[measure],
        names=known,
        values={one.name: number(round(one.means[measure].mean, 3)) for one in result},
        separators=chart.separators(),
    )
    chart.show(
        "retrievers",
        partial(_bars, result, measure, words),
        title=words.title,
        name="retrieval",
        csv=lambda: measured_csv(result),
    )
    st.caption(
        _("The lines are intervals: in 95 of 100 resamplings of the questions, the mean lies within.")
        + " "
        + ngettext("{count} question.", "{count} questions.", len(result[0].rows))
    )
    st.table([_line(one, known) for one in result])
    _missed(result, known)


def _bars(result: list[Measured], measure: str, words: BarWords, dark: bool) -> Figure:
    return measure_bars(result, measure, words=words, dark=dark)


def sentence(result: Sequence[Measured], measure: str) -> str:
    """What the bars say."""
    ordered = sorted(result, key=lambda one: one.means[measure].mean, reverse=True)
    known = names()
    best = ordered[0]
    name = known.get(best.name, best.name)
    value = number(round(best.means[measure].mean, 3))
    if len(ordered) < 2:
        return _("{name}: {value}", name=name, value=value)
    gap = measures.difference(best.values(measure), ordered[1].values(measure))
    second = known.get(ordered[1].name, ordered[1].name)
    if gap.low > 0:
        return _("“{name}” finds best ({value}), and it is no chance", name=name, value=value)
    return _(
        "“{name}” and “{second}” find alike ({value}): the difference may be chance",
        name=name,
        second=second,
        value=value,
    )


def _line(one: Measured, known: dict[str, str]) -> dict[str, str]:
    line = {_("way"): known.get(one.name, one.name)}
    for measure, of in one.means.items():
        low, high = (number(round(value, 2)) for value in (of.low, of.high))
        line[titles()[measure]] = f"{number(round(of.mean, 3))} ({low}–{high})"
    return {**line, _("time of a search"): seconds(one.seconds)}


def _missed(result: Sequence[Measured], known: dict[str, str]) -> None:
    by_name = {one.name: one for one in result}
    name = st.selectbox(
        _("Questions that are missed by"),
        list(by_name),
        index=list(by_name).index("hybrid") if "hybrid" in by_name else 0,
        format_func=lambda id: known.get(id, id),
        key="measure-missed-by",
        width=320,
    )
    one = by_name[name]
    missed = [row for row in one.rows if row.rank is None or row.rank > MISSED]
    share = percent(len(missed) / len(one.rows))
    st.caption(
        ngettext(
            "{count} question is not found among the first ten ({share}).",
            "{count} questions are not found among the first ten ({share}).",
            len(missed),
            share=share,
        )
    )
    for row in missed[:SHOWN]:
        others = [
            f"{known.get(other.name, other.name)}: {_rank(twin)}"
            for other in result
            if other.name != name
            for twin in other.rows
            if twin.question.id == row.question.id and twin.question.text == row.question.text
        ]
        with st.expander(error_box.plain(row.question.text)):
            _looked_into(row, others)


def _rank(row: Row) -> str:
    return _("not found") if row.rank is None else _("rank {rank}", rank=count(row.rank))


def _looked_into(row: Row, others: Sequence[str]) -> None:
    expected = ", ".join(
        place.document + (f", p. {place.page}" if place.page is not None else "") for place in row.question.expected
    )
    st.markdown(_("Expected: {place}", place=f"**{error_box.plain(expected)}**") + f" · {_rank(row)}")
    if others:
        st.caption(" · ".join(dict.fromkeys(others)))
    passage = next((place.passage for place in row.question.expected if place.passage), "")
    if passage:
        st.text(passage[:600])
    st.caption(_("Found instead:"))
    for place, hit in enumerate(row.found, start=1):
        st.text(f"{place}. {hit.chunk.document}: {' '.join(hit.chunk.text.split())[:240]}")
