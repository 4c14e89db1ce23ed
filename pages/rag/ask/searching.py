"""How a collection is searched: passages or everything, by meaning or by words, and what each choice does."""

from __future__ import annotations

import msgspec
import streamlit as st

from core.chat import Asking
from core.errors import WorkbenchError
from core.messages import ChatRequest
from core.rag.answer import AROUND, CHARACTERS_PER_TOKEN, room
from core.rag.asking import kept_of
from core.rag.grounding import How, Mode
from core.rag.retrieve import Filter, Method, Options
from core.rag.values import Collection, Stage
from core.store.records import Conversation
from core.workbench import Workbench
from pages.rag.ask import calibrating
from pages.ui.words import _, count, tokens

WIDTH = 460
MODES: tuple[Mode, ...] = ("passages", "whole", "none")
METHODS: tuple[Method, ...] = ("hybrid", "dense", "bm25")


def method_names() -> dict[str, str]:
    """What each way of searching is called."""
    return {
        "hybrid": _("Both"),
        "dense": _("Meaning"),
        "bm25": _("Keywords"),
        "hybrid_rrf": _("Both, by ranks"),
        "rerank": _("Both, reranked"),
        "mmr": _("Diversity"),
    }


def stage_names() -> dict[Stage, str]:
    """What each stage of a search is called."""
    names = method_names()
    return {
        "dense": names["dense"],
        "bm25": names["bm25"],
        "hybrid": names["hybrid"],
        "rerank": _("Reranker"),
        "mmr": names["mmr"],
    }


def show(workbench: Workbench, me: str, collection: Collection | None, conversation: Conversation | None) -> How:
    """Draws the button and what is behind it. Begins as the conversation was left."""
    kept = kept_of(conversation) if conversation is not None else None
    begun = kept.how if kept is not None else How()
    key = conversation.id if conversation else "new"
    box = st.popover(_("Search"), icon=":material/manage_search:", help=_("How passages are found"))
    if collection is None:
        return begun
    with box, st.container(width=WIDTH):
        mode = _mode(key, begun, collection)
        if mode == "none":
            return msgspec.structs.replace(begun, mode=mode)
        within = _within(workbench, me, key, collection, begun.options.within)
        if mode == "whole":
            return How(mode=mode, options=msgspec.structs.replace(begun.options, within=within))
        return _passages(workbench, me, key, collection, begun, within)


def advice(workbench: Workbench, me: str, collection: Collection, asking: Asking) -> str:
    """Whether all of it fits the model's context, in a sentence: inject or retrieve? Empty where it cannot be said."""
    try:
        model = workbench.chat_model(me, asking.model_id, asking.settings)
    except WorkbenchError:
        return ""
    limit = room(model, ChatRequest(max_tokens=asking.max_tokens))
    if limit is None:
        return ""
    needed, there = tokens(_whole(collection), estimated=True), tokens(limit, estimated=True)
    if _whole(collection) <= limit:
        return _(
            "All of it has at most {needed}, and {limit} fit beside the question: with “Whole documents” under "
            "*Search* nothing can be missed.",
            needed=needed,
            limit=there,
        )
    return _(
        "All of it has up to {needed}, and {limit} fit beside the question: the best passages are searched.",
        needed=needed,
        limit=there,
    )


def _whole(collection: Collection) -> int:
    """About how many tokens of a model a collection has, rather too many."""
    return collection.chunks * (collection.build.size * 4 // CHARACTERS_PER_TOKEN + AROUND)


def _mode(key: str, begun: How, collection: Collection) -> Mode:
    names = {"passages": _("Passages"), "whole": _("Whole documents"), "none": _("No documents")}
    mode: Mode = st.segmented_control(
        _("What the model is given"),
        MODES,
        default=begun.mode,
        required=True,
        format_func=names.__getitem__,
        key=f"how-mode-{key}",
    )
    meaning = {
        "passages": _("The passages that fit the question best. Right for much text."),
        "whole": _("Everything, if it fits the context: nothing can be missed, and it takes longer to read."),
        "none": _("What the model says by itself: to see what the documents change."),
    }
    st.caption(meaning[mode])
    if mode == "whole":
        needed = tokens(_whole(collection), estimated=True)
        st.caption(_("The whole collection has up to {tokens}.", tokens=needed))
    return mode


def _within(workbench: Workbench, me: str, key: str, collection: Collection, begun: Filter) -> Filter:
    documents = {one.id: one.name for one in workbench.collections.documents(me, collection.id) if one.chunks}
    chosen = st.multiselect(
        _("Only in"),
        list(documents),
        default=[id for id in begun.documents if id in documents],
        format_func=lambda id: documents.get(id, id),
        key=f"how-documents-{key}-{collection.id}",
        placeholder=_("All documents"),
    )
    with st.expander(_("More conditions")):
        heading = st.text_input(
            _("Under a heading that contains"),
            begun.heading,
            key=f"how-heading-{key}",
            help=_("Capitals do not matter."),
        )
        left, right = st.columns(2)
        first = left.number_input(_("From page"), 1, None, begun.first_page, key=f"how-first-{key}")
        last = right.number_input(_("To page"), 1, None, begun.last_page, key=f"how-last-{key}")
    return Filter(
        documents=tuple(chosen),
        heading=heading.strip(),
        first_page=int(first) if first else None,
        last_page=int(last) if last else None,
    )


def _passages(workbench: Workbench, me: str, key: str, collection: Collection, begun: How, within: Filter) -> How:
    options = begun.options
    names = method_names()
    method: Method = st.segmented_control(
        _("Found by"),
        METHODS,
        default=options.method,
        required=True,
        format_func=names.__getitem__,
        key=f"how-method-{key}",
        help=_(
            "Meaning compares vectors: it finds other words for the same thing, in the languages that the "
            "embedding can read. Keywords compare the words themselves: names, numbers, rare terms. Both "
            "together is best."
        ),
    )
    by_ranks, weight = False, options.weight
    if method == "hybrid":
        by_ranks, weight = calibrating.show(workbench, me, key, collection, options)
    limit = st.slider(
        _("Passages"),
        1,
        20,
        options.limit,
        key=f"how-limit-{key}",
        help=_("How many the model is given. More may hold the answer, and distract it, and take longer to read."),
    )
    with st.expander(_("Finer")):
        diversity = st.slider(
            _("Diversity"),
            0.0,
            1.0,
            options.diversity,
            0.05,
            key=f"how-diversity-{key}",
            help=_("Above 0, a passage that says what another one said already gives its place to one that does not."),
        )
        rewrite = st.toggle(
            _("Make each question stand alone"),
            begun.rewrite,
            key=f"how-rewrite-{key}",
            help=_("“And in winter?” finds nothing: the model first writes it out, from the conversation. Takes time."),
        )
        wordings = st.slider(
            _("Other wordings"),
            0,
            4,
            begun.wordings,
            key=f"how-wordings-{key}",
            help=_("The model writes the question in so many other ways, and all of them are searched. Takes time."),
        )
        reranker = st.text_input(
            _("Reranker"),
            begun.reranker,
            key=f"how-reranker-{key}",
            placeholder=_("The folder of a cross-encoder"),
            help=_(
                "A model that reads question and passage together and puts the best {number} in order. Better, and "
                "slow. None comes with the workbench.",
                number=count(30),
            ),
        )
    return How(
        mode="passages",
        options=Options(
            method=method,
            fusion="rrf" if by_ranks else "weighted",
            weight=weight,
            limit=limit,
            diversity=diversity,
            within=within,
        ),
        rewrite=rewrite,
        wordings=wordings,
        reranker=reranker.strip(),
    )
