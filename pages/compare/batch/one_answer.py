"""One answer of a batch, whole: what was asked, what came, its checks and figures; and asked again."""

from __future__ import annotations

import streamlit as st

from core.arena.batch import Batch, Cell
from core.arena.checks import Checked
from core.errors import WorkbenchError
from core.workbench import Workbench
from pages.ui import error_box, markdown, metrics_strip, press, privacy, route_line
from pages.ui.words import _


def show(workbench: Workbench, me: str, found: Batch, cell: Cell) -> None:
    """Draws it."""
    entrant, prompt = found.spec.models[cell.place.model], found.spec.prompts[cell.place.prompt]
    with st.container(border=True):
        place = _("prompt {prompt}, repeat {repeat}", prompt=cell.place.prompt + 1, repeat=cell.place.repeat + 1)
        st.markdown(f"**{error_box.plain(entrant.label)}** · {place}")
        if system := prompt.system or entrant.asking.system_prompt:
            st.caption(_("System prompt"))
            st.text(system)
        st.chat_message("user", avatar=":material/person:").text(prompt.text)
        with st.chat_message("assistant", avatar=":material/smart_toy:"):
            if cell.routed is not None:
                st.caption(route_line.text(cell.routed, answered=bool(cell.answer)))
            if cell.reasoning:
                with st.expander(_("Thinking")):
                    st.text(cell.reasoning)
            markdown.show(cell.answer)
        for checked in cell.checks or ():
            _check(checked)
        if cell.error is not None:
            error_box.show(WorkbenchError.from_dict(cell.error))
        if cell.finished is not None:
            metrics_strip.show(
                f"cell-{cell.place.model}-{cell.place.prompt}-{cell.place.repeat}",
                cell.finished,
                model_name=entrant.info.name,
                when=cell.at,
                paid=not privacy.stays(entrant.info),
                model_id=entrant.info.id,
            )
        if cell.status in ("done", "failed") and press.button(
            _("Ask again"),
            key="batch-again",
            icon=":material/refresh:",
            help=_("The new answer takes the place of this one, and the judge's verdicts on it are taken back."),
        ):
            workbench.batches.retry(me, found.id, cell.place)
            st.rerun()


def _check(checked: Checked) -> None:
    name, expected = checked.check.kind, error_box.plain(checked.check.expected[:300])
    if checked.passed:
        st.markdown(":material/check_circle: " + _("Passed: {check}", check=f"{name} {expected}"))
        return
    detail = _(checked.detail).format_map({key: _(value) for key, value in checked.values.items()})
    st.markdown(
        ":material/cancel: " + _("Not passed: {check}", check=f"{name} {expected}") + f" · {error_box.plain(detail)}"
    )
