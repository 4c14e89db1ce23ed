"""What a study says in plain sentences, and when not to trust it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core.errors import WorkbenchError
from core.gguf import verdict
from core.gguf.study import Row, Study
from core.gguf.verdict import Judgement, Sentence
from core.models.local import fit
from core.models.local.model_settings import ModelSettings
from core.workbench import Workbench
from pages.quantization.measure import start
from pages.ui import error_box
from pages.ui.words import _, count, language


def show(workbench: Workbench, study: Study, rows: Sequence[Row]) -> None:
    """Who is ahead and what speaks against it, then a sentence for each variant."""
    judged = [
        verdict.smallest(study.spec, rows),
        verdict.closest(study.spec, rows),
        verdict.fastest(study.spec, rows),
    ]
    said: set[str] = set()
    for one in judged:
        if one is not None:
            _judgement(one, said)
    reference = next((row for row in rows if row.reference), None)
    lines = [verdict.of_row(row, reference, fits=_fits(workbench, row.path)) for row in rows if not row.reference]
    st.markdown("\n".join(f"- {_said(line)}" for line in lines if line is not None))
    st.caption(_how(study))
    if study.spec.reference.type is not None:
        st.caption(":material/info: " + start.of_the_reference())


def _judgement(one: Judgement, said: set[str]) -> None:
    """`said`: the doubts that stand there already; they are not said twice."""
    icon = "check_circle" if one.winner is not None else "help"
    doubts = [doubt for each in one.doubts if (doubt := _said(each)) not in said]
    said.update(doubts)
    st.markdown(" ".join([f":material/{icon}: {_said(one.sentence)}", *doubts]))


def _said(sentence: Sentence) -> str:
    return error_box.plain(verdict.said(sentence, language()))


def _fits(workbench: Workbench, path: Path | None) -> int | None:
    if path is None:
        return None
    try:
        return fit.fit(path, ModelSettings(), budget=workbench.shelf.budget_bytes).longest_context
    except WorkbenchError:
        return None


def _how(study: Study) -> str:
    names = {"english": _("English passage"), "french": _("French passage")}
    name = error_box.plain(names.get(study.spec.text_name, study.spec.text_name))
    if study.spec.chunks is None:
        return _(
            "Text: {name}, all of it in chunks of {context} tokens. Measured as llama-perplexity and llama-bench do. "
            "Figures of another text, context or machine are not comparable with these.",
            name=name,
            context=count(study.spec.context),
        )
    return _(
        "Text: {name}, at most {chunks} chunks of {context} tokens. Measured as llama-perplexity and llama-bench do. "
        "Figures of another text, context or machine are not comparable with these.",
        name=name,
        chunks=count(study.spec.chunks),
        context=count(study.spec.context),
    )
