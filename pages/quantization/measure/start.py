"""A new measurement: one button for the model that comes with the workbench; folded, another model, text and types."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from core.errors import WorkbenchError
from core.gguf import quantize, reader, recipes, study, texts
from core.gguf.study import Spec, Variant
from core.models.base import ModelInfo
from core.workbench import Workbench
from pages.quantization.measure import opened
from pages.ui import error_box, model_picker
from pages.ui.words import _, ngettext

OWN = "own"
FAILED = "study-failed"
"""What went wrong with the last click."""

CHUNKS = 8
REPEATS = 3
MOST_CHUNKS = 1000


def show(workbench: Workbench, me: str) -> None:
    """Draws the button, and what it does; then the choices."""
    st.header(_("What does a quantization cost?"), anchor=False)
    st.markdown(
        _(
            "A model with fewer bits a weight is smaller and often faster, and a little worse. How much, on this "
            "machine, is measured here: how well each variant expects a text, how often it would choose another next "
            "word than the original, and how fast it reads and writes."
        )
    )
    if (error := st.session_state.pop(FAILED, None)) is not None:
        error_box.show(error)
    first = st.container(horizontal=True, vertical_alignment="center")
    about = st.container()
    spec = _choices(workbench)
    with first:
        st.button(
            _button(spec),
            key="study-start",
            icon=":material/play_arrow:",
            disabled=spec is None or not spec.variants,
            on_click=partial(_start, workbench, me, spec) if spec is not None else None,
        )
        st.caption(_("About three minutes on two cores, for the model that comes with the workbench."), width="content")
    if spec is not None and spec.reference.type is not None:
        about.caption(":material/info: " + of_the_reference())


def of_the_reference() -> str:
    """What a reference is that was made of a source which is quantized itself."""
    return _(
        "The source is quantized itself, so the reference is a copy of it with 16-bit floats. What its own "
        "quantization has cost is not seen here, and types with as many bits cost little by construction."
    )


def source_name(spec: Spec) -> str:
    """What the model of a study is called: its file, without the end."""
    return Path(spec.source).stem


def _button(spec: Spec | None) -> str:
    types = len(spec.variants) if spec is not None else len(study.FIVE)
    return ngettext("Quantize to {count} type, measure, draw", "Quantize to {count} types, measure all, draw", types)


def _start(workbench: Workbench, me: str, spec: Spec) -> None:
    try:
        opened.open(workbench.studies.start(me, spec).id)
    except WorkbenchError as error:
        st.session_state[FAILED] = error


def _choices(workbench: Workbench) -> Spec | None:
    """What will be measured; None where it cannot be."""
    with st.expander(_("Another model, text, types or effort"), icon=":material/tune:"):
        models = {one.id: one for one in workbench.catalog.models()}
        if not models:
            st.caption(_("There is no model on this machine yet: find one in “Find and download”."))
            return None
        source = _source(workbench, models)
        types = st.multiselect(
            _("Types"),
            [name for name in recipes.RECIPES if name not in ("F32", study.REFERENCE) and not _needs(name)],
            default=list(study.FIVE),
            key="study-types",
            help=_("Each is made of the source, kept in the folder of models, and can be talked to afterwards."),
        )
        others = _others(models, source)
        text_name, text = _text()
        columns = st.columns(3)
        chunks = columns[0].number_input(
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
        context = columns[1].number_input(
            _("Context"),
            64,
            32768,
            512,
            64,
            key="study-context",
            help=_("Tokens of a chunk. Perplexities with different contexts cannot be compared."),
        )
        repeat = columns[2].number_input(
            _("Repeats of each timing"),
            0,
            20,
            REPEATS,
            key="study-repeat",
            help=_("Reading 512 tokens and writing 128, as llama-bench does, after a warm-up. 0: speed is not timed."),
        )
    if not text.strip():
        return None
    return _spec(workbench, source, types, others, text_name, text, int(chunks), int(context), int(repeat))


def _needs(name: str) -> bool:
    return recipes.recipe(name).needs_imatrix


def _source(workbench: Workbench, models: dict[str, ModelInfo]) -> ModelInfo:
    labels = model_picker.labels(list(models.values()))
    picked = st.selectbox(
        _("Model"),
        list(models),
        format_func=lambda id: labels.get(id, id),
        key="study-source",
        help=_("What the others are made of. Best is a file with 16 or 32 bits a weight, as its author published it."),
    )
    return models[picked]


def _others(models: dict[str, ModelInfo], source: ModelInfo) -> list[ModelInfo]:
    labels = model_picker.labels(list(models.values()))
    there = [id for id in models if id != source.id]
    if not there:
        return []
    picked = st.multiselect(
        _("Files that are here already"),
        there,
        format_func=lambda id: labels.get(id, id),
        key="study-others",
        placeholder=_("None"),
        help=_("The same model in other quantizations, downloaded or made before: with the same vocabulary."),
    )
    return [models[id] for id in picked]


def _text() -> tuple[str, str]:
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
    if chosen != OWN:
        passage = "french" if chosen == "french" else "english"
        return passage, texts.passage("french" if passage == "french" else "english")
    file = st.file_uploader(_("A text file"), type=["txt", "md"], key="study-file")
    if file is not None:
        return file.name, file.getvalue().decode("utf-8", errors="replace")
    typed = st.text_area(
        _("or the text itself"), key="study-own-text", help=_("One chunk takes 512 tokens: some 380 English words.")
    )
    return _("My own text"), typed


def _spec(
    workbench: Workbench,
    source: ModelInfo,
    types: list[str],
    others: list[ModelInfo],
    text_name: str,
    text: str,
    chunks: int,
    context: int,
    repeat: int,
) -> Spec | None:
    try:
        path = workbench.catalog.path(source)
        quantized = quantize.is_quantized(reader.read(path))
        made = study.of_types(
            path,
            tuple(types),
            text_name=text_name,
            text=text,
            chunks=chunks,
            repeat=repeat,
            context=context,
            quantized=quantized,
        )
        files = [
            Variant(name=f"{one.name} {one.quantization or ''}".strip(), path=str(workbench.catalog.path(one)))
            for one in others
        ]
    except WorkbenchError as error:
        error_box.show(error)
        return None
    return study.with_files(made, files)
