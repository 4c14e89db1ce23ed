"""The inside of an answer, folded: the prompt as it was sent, the context, what was left out, the map, the ranks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from core.errors import WorkbenchError
from core.events import Origin
from core.metrics import context_fill
from core.plots import ORIGIN_COLOURS
from core.rag import prompt
from core.rag.grounding import Grounding
from core.rag.values import Stage
from core.rag_plots import (
    MAPPED,
    MapPoint,
    MapWords,
    RankWords,
    map_csv,
    passage_map,
    projected,
    rank_paths,
    ranks_csv,
)
from core.store.records import StoredMessage
from core.workbench import Workbench
from pages.rag.ask import searching, sources
from pages.ui import chart, context_bar, error_box, span_text
from pages.ui.words import _, count, ngettext, percent, seconds, tokens

SHOWN_PATHS = 10


def show(workbench: Workbench, me: str, message: StoredMessage, grounding: Grounding) -> None:
    """Draws the folded part; nothing of it is computed before it is opened."""
    box = st.expander(_("The inside"), icon=":material/frame_inspect:", key=f"inside-{message.id}", on_change="rerun")
    if not box.open:
        return
    with box:
        st.caption(_how(grounding))
        names = [_("Prompt"), _("Context"), _("Left out"), _("Ranks"), _("Map")]
        chosen = st.segmented_control(
            _("What is shown"),
            names,
            default=names[0],
            required=True,
            key=f"inside-tab-{message.id}",
            label_visibility="collapsed",
        )
        draw = dict(zip(names, (_prompt, _context, _left_out, _ranks, _map), strict=True))[chosen or names[0]]
        try:
            draw(workbench, me, message, grounding)
        except WorkbenchError as error:
            error_box.show(error)


def _how(grounding: Grounding) -> str:
    names = searching.method_names()
    options = grounding.how.options
    parts = [
        _("Searched for: {question}", question=error_box.plain(grounding.asked)) if grounding.asked else "",
        _("Other wordings: {wordings}", wordings=error_box.plain(" · ".join(grounding.also))) if grounding.also else "",
        _("Found by: {method}", method=names["hybrid_rrf" if options.fusion == "rrf" else options.method])
        if grounding.how.mode == "passages"
        else _("Given whole"),
        _("meaning counts {share}", share=percent(grounding.weight)) if grounding.weight is not None else "",
        _("search {time}", time=seconds(grounding.search_s)),
        _("rewriting {time}", time=seconds(grounding.rewrite_s)) if grounding.rewrite_s > 0.01 else "",
    ]
    return " · ".join(part for part in parts if part)


def origin_names() -> dict[str, str]:
    """What each origin is called, as in the context bar."""
    return {
        "system": _("system"),
        "history": _("history"),
        "documents": _("documents"),
        "tools": _("tools"),
        "question": _("question"),
        "answer": _("answer"),
    }


def _prompt(workbench: Workbench, me: str, message: StoredMessage, grounding: Grounding) -> None:
    st.caption(
        _(
            "The prompt as it was sent, before the model's chat template. Each passage stands between marks that are "
            "in no document: whatever a document says, it stays a quotation."
        )
    )
    names = origin_names()
    asked = workbench.chat.request_of(me, message.id)
    spans = []
    for part in prompt.parts(asked, grounding):
        name = names[part.origin]
        label = f"{name} [{part.number}]" if part.number is not None else name
        colour = ORIGIN_COLOURS[part.origin]
        spans.append(span_text.Span(text=part.text, label=label, light=colour.light, dark=colour.dark))
    span_text.show(f"prompt-{message.id}", spans, name=_("The prompt"))


def _context(workbench: Workbench, me: str, message: StoredMessage, grounding: Grounding) -> None:
    if message.finished is None:
        st.caption(_("What it took is known when the answer has ended."))
        return
    usage = message.finished.usage
    if usage.by_origin:
        context_bar.show(f"rag-context-{message.id}", context_fill(usage))
        return
    asked = workbench.chat.request_of(me, message.id)
    characters: dict[Origin, int] = {}
    for part in prompt.parts(asked, grounding):
        characters[part.origin] = characters.get(part.origin, 0) + len(part.text)
    whole = sum(characters.values()) or 1
    shares: Mapping[Origin, float] = {origin: size / whole for origin, size in characters.items()}
    names = origin_names()
    st.caption(
        _("The endpoint tells {tokens} for the prompt. By characters, about:", tokens=tokens(usage.prompt_tokens))
        + " "
        + " · ".join(f"{names[origin]} ≈ {percent(share)}" for origin, share in shares.items())
    )


def _left_out(workbench: Workbench, me: str, message: StoredMessage, grounding: Grounding) -> None:
    room = _("There was room for {limit}.", limit=tokens(grounding.limit, estimated=True)) if grounding.limit else ""
    given = ngettext("{count} passage was given", "{count} passages were given", len(grounding.passages))
    st.caption(f"{given} ({tokens(grounding.tokens, estimated=True)}). {room}")
    if message.trimmed is not None:
        st.caption(_("Earlier messages of the conversation did not fit and were left out."))
    if not grounding.left_out:
        st.write(_("Nothing that was found was left out."))
    for one in grounding.left_out:
        why = _("it did not fit the context") if one.reason == "context" else _("others fitted the question better")
        with st.container(border=True, gap="xsmall"):
            place = _("place {number}", number=count(one.place))
            st.markdown(f"**{error_box.plain(sources.where(one.chunk))}** · {place} · {why}")
            st.text(" ".join(one.chunk.text.split())[:300])


def _ranks(workbench: Workbench, me: str, message: StoredMessage, grounding: Grounding) -> None:
    ranked = [(f"[{one.number}] {sources.where(one.chunk)[:28]}", one.ranks) for one in grounding.passages if one.ranks]
    ranked += [(sources.where(one.chunk)[:28], one.ranks) for one in grounding.left_out if one.ranks]
    if not ranked:
        st.caption(_("Nothing was searched: the documents were given whole."))
        return
    words = RankWords(
        title=_rank_sentence(grounding),
        rank=_("rank"),
        stages=searching.stage_names(),
        separators=chart.separators(),
    )
    shown: list[tuple[str, Mapping[Stage, int]]] = [*ranked[:SHOWN_PATHS]]
    chart.show(
        f"ranks-{message.id}",
        lambda dark: rank_paths(shown, words=words, dark=dark),
        title=words.title,
        name="ranks",
        csv=lambda: ranks_csv(ranked),
    )


def _rank_sentence(grounding: Grounding) -> str:
    ranks = grounding.passages[0].ranks if grounding.passages else {}
    if "dense" in ranks and "bm25" in ranks:
        return _(
            "The first passage is number {meaning} by meaning and number {words} by keywords",
            meaning=count(ranks["dense"]),
            words=count(ranks["bm25"]),
        )
    if "dense" in ranks:
        return (
            _("Keywords alone would not have found the first passage") if "hybrid" in ranks else _("Ranks by meaning")
        )
    return _("Meaning alone would not have put the first passage among the best") if ranks else _("Ranks")


def _map(workbench: Workbench, me: str, message: StoredMessage, grounding: Grounding) -> None:
    searcher = workbench.finding.searcher(me, grounding.collection_id)
    given = {one.chunk.id: one.number for one in grounding.passages}
    places = [at for at, chunk in enumerate(searcher.chunks) if chunk.id in given]
    step = max(len(searcher.chunks) // MAPPED, 1)
    places = sorted({*places, *range(0, len(searcher.chunks), step)})
    asked = searcher.embed([grounding.asked or "?"])[0]
    points, star, share = projected(np.asarray(searcher.vectors[places]), asked)
    words = MapWords(
        title=_(
            "The question among the passages: {share} of what tells them apart fits on this map", share=percent(share)
        ),
        question=_("the question"),
        axes=(_("first direction"), _("second direction")),
        separators=chart.separators(),
    )
    drawn = [
        MapPoint(
            x=float(x), y=float(y), label=sources.where(searcher.chunks[at]), number=given.get(searcher.chunks[at].id)
        )
        for at, (x, y) in zip(places, points, strict=True)
    ]
    at_question = (float(star[0]), float(star[1]))
    chart.show(
        f"map-{message.id}",
        lambda dark: passage_map(drawn, at_question, words=words, dark=dark),
        title=words.title,
        name="map",
        csv=lambda: map_csv(drawn, at_question),
    )
    st.caption(
        _(
            "Each point is a passage, those with a number were given. Two directions show little of the hundreds "
            "that an embedding has: what lies apart here may be near."
        )
    )
