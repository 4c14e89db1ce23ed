"""Ways of cutting and embedding compared on the same questions: a row a way, a column a retriever."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.jobs import Job
from core.rag import measures, trial
from core.rag.chunk import CHUNKERS
from core.rag.question_sets import Question
from core.rag.trial import Tried, Way
from core.rag.values import Collection
from core.workbench import Workbench
from pages.rag.measure import measured, running
from pages.ui import error_box
from pages.ui.words import _, count, ngettext, number, seconds

KIND = "rag-grid"
SIZES = (64, 128, 200, 250)


def show(workbench: Workbench, me: str, collection: Collection, asked: Sequence[Question]) -> None:
    """Draws the folded part."""
    title = _("Would another way of cutting or embedding be better?")
    box = st.expander(title, icon=":material/grid_on:", key=f"grid-{collection.id}", on_change="rerun")
    if not box.open:
        return
    with box:
        ways = _ways(workbench, collection)
        st.caption(
            ngettext("{count} way is tried.", "{count} ways are tried.", len(ways))
            + " "
            + _("The collection itself stays as it is. Questions that name passages or documents hold for every way.")
        )

        def work(job: Job) -> list[Tried]:
            collections = workbench.collections
            documents = [one for one in collections.documents(me, collection.id) if one.chunks]
            texts = [(one, collections.extracted(me, collection.id, one.id)) for one in documents]
            embedding = partial(collections.embeddings.get, me)
            return trial.grid(texts, ways, asked, embedding, step=lambda done, total, note: job.step(done, total))

        running.show(
            workbench,
            me,
            KIND,
            measured.subject(collection, asked),
            work,
            label=_("Compare"),
            help=_("Cuts and embeds all documents once for each way, in the background."),
            draw=_draw,
            disabled=not ways,
        )


def _ways(workbench: Workbench, collection: Collection) -> list[Way]:
    build = collection.build
    names = {one.name: _(one.label) for one in CHUNKERS}
    left, middle, right = st.columns(3)
    chunkers = left.multiselect(
        _("Cut by"), list(names), default=[build.chunker], format_func=lambda id: names.get(id, id), key="grid-chunkers"
    )
    sizes = middle.multiselect(
        _("Tokens of a passage"), sorted({*SIZES, build.size}), default=[build.size], key="grid-sizes"
    )
    here = workbench.collections.embeddings.here()
    embeddings = right.multiselect(_("Embedding"), here, default=[build.embedding], key="grid-embeddings")
    share = build.overlap / build.size if build.size else 0.0
    return [
        Way(chunker=chunker, size=size, overlap=int(size * share), embedding=embedding)
        for embedding in embeddings
        for chunker in chunkers
        for size in sizes
    ]


def _draw(tried: list[Tried]) -> None:
    measure = st.segmented_control(
        _("Measure"),
        measures.NAMES,
        default=measures.NAMES[0],
        required=True,
        format_func=measured.titles().__getitem__,
        key="grid-measure",
        label_visibility="collapsed",
    )
    names = {one.name: _(one.label) for one in CHUNKERS}
    known = measured.names()
    values = {(way, one.name): one.means[measure].mean for way, row in enumerate(tried) for one in row.measured}
    best = max(values, key=values.__getitem__)
    way = tried[best[0]].way
    st.markdown(
        _(
            "The best: **{chunker}**, {size} tokens, {embedding}, searched by “{retriever}”: {value}",
            chunker=names.get(way.chunker, way.chunker),
            size=count(way.size),
            embedding=error_box.plain(way.embedding),
            retriever=known.get(best[1], best[1]),
            value=number(round(values[best], 3)),
        )
    )
    st.dataframe(
        [
            {
                _("cut by"): names.get(row.way.chunker, row.way.chunker),
                _("tokens"): row.way.size,
                _("embedding"): row.way.embedding,
                _("passages"): row.passages,
                **{known.get(one.name, one.name): round(one.means[measure].mean, 3) for one in row.measured},
                _("meaning counts"): round(row.calibration.weight, 2),
                _("time"): seconds(row.seconds),
            }
            for row in tried
        ],
        hide_index=True,
    )
