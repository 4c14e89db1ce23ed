"""What a new measurement is to measure: another model, text, types or effort. Drawn folded, and read when it begins."""

from __future__ import annotations

import streamlit as st

from core.gguf import quantize, reader, recipes, study, texts
from core.gguf.study import Spec, Variant
from core.models.base import ModelInfo
from core.workbench import Workbench
from pages.ui import file_field, model_picker
from pages.ui.words import _

OWN = "own"
CHUNKS = 8
REPEATS = 3
MOST_CHUNKS = 1000


def show(workbench: Workbench) -> None:
    """Draws the widgets, folded."""
    with st.expander(_("Another model, text, types or effort"), icon=":material/tune:"):
        models = {one.id: one for one in workbench.catalog.models()}
        if not models:
            st.caption(_("There is no model on this machine yet: find one in “Find and download”."))
            return
        _source(models)
        st.multiselect(
            _("Types"),
            [name for name in recipes.RECIPES if name not in ("F32", study.REFERENCE) and not _needs(name)],
            default=list(study.FIVE),
            key="study-types",
            help=_("Each is made of the source, kept in the folder of models, and can be talked to afterwards."),
        )
        _others(models)
        _text()
        columns = st.columns(3)
        columns[0].number_input(
            _("Chunks of text"),
            1,
            MOST_CHUNKS,
            CHUNKS,
            key="study-chunks",
            help=_(
                "Of 512 tokens, of which the second half is scored. More make the errors smaller: four times for "
                "half of the error."
            ),
        )
        columns[1].number_input(
            _("Context"),
            64,
            32768,
            512,
            64,
            key="study-context",
            help=_("Tokens of a chunk. Perplexities with different contexts cannot be compared."),
        )
        columns[2].number_input(
            _("Repeats of each timing"),
            0,
            20,
            REPEATS,
            key="study-repeat",
            help=_("Reading 512 tokens and writing 128, as llama-bench does, after a warm-up. 0: speed is not timed."),
        )


def chosen(workbench: Workbench) -> Spec | None:
    """What the widgets hold now; None where there is no model or no text. Raises `ModelFileInvalid` and the like.

    For a button's `on_click` too: a value that was typed right before the click is in the session by then, and was not
    yet when the button was drawn.
    """
    state = st.session_state
    models = {one.id: one for one in workbench.catalog.models()}
    source = models.get(state.get("study-source", ""))
    text_name, text = _chosen_text()
    if source is None or not text.strip():
        return None
    path = workbench.catalog.path(source)
    made = study.of_types(
        path,
        tuple(state["study-types"]),
        text_name=text_name,
        text=text,
        chunks=int(state["study-chunks"]),
        context=int(state["study-context"]),
        repeat=int(state["study-repeat"]),
        quantized=quantize.is_quantized(reader.read(path)),
    )
    others = [models[id] for id in state.get("study-others", ()) if id in models and id != source.id]
    return study.with_files(made, [_file(workbench, one) for one in others])


def _file(workbench: Workbench, info: ModelInfo) -> Variant:
    return Variant(name=f"{info.name} {info.quantization or ''}".strip(), path=str(workbench.catalog.path(info)))


def _chosen_text() -> tuple[str, str]:
    """Its name, and the text."""
    picked = st.session_state.get("study-text")
    if picked != OWN:
        return ("french", texts.passage("french")) if picked == "french" else ("english", texts.passage("english"))
    file = st.session_state.get("study-file")
    if file is not None:
        return file.name, file.getvalue().decode("utf-8", errors="replace")
    return _("My own text"), st.session_state.get("study-own-text") or ""


def _needs(name: str) -> bool:
    return recipes.recipe(name).needs_imatrix


def _source(models: dict[str, ModelInfo]) -> None:
    labels = model_picker.labels(list(models.values()))
    st.selectbox(
        _("Model"),
        list(models),
        format_func=lambda id: labels.get(id, id),
        key="study-source",
        help=_("What the others are made of. Best is a file with 16 or 32 bits a weight, as its author published it."),
    )


def _others(models: dict[str, ModelInfo]) -> None:
    labels = model_picker.labels(list(models.values()))
    there = [id for id in models if id != st.session_state["study-source"]]
    if not there:
        return
    st.multiselect(
        _("Files that are here already"),
        there,
        format_func=lambda id: labels.get(id, id),
        key="study-others",
        placeholder=_("None"),
        help=_("The same model in other quantizations, downloaded or made before: with the same vocabulary."),
    )


def _text() -> None:
    names = {"english": _("English passage"), "french": _("French passage"), OWN: _("My own text")}
    chosen = st.segmented_control(
        _("Text"),
        list(names),
        default="english",
        required=True,
        format_func=names.__getitem__,
        key="study-text",
        help=_("Stories and explanations written for this workbench, some 4,500 tokens; or what your model is for."),
    )
    if chosen == OWN:
        file_field.show(_("A text file"), type=["txt", "md"], key="study-file")
        st.text_area(
            _("or the text itself"), key="study-own-text", help=_("One chunk takes 512 tokens: some 380 English words.")
        )
