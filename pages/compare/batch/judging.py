"""A model as judge: chosen, asked, what it said of whom, how often its two verdicts on a pair agree; made votes."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.arena.batch import Batch
from core.arena.judge import Verdict
from core.chat import Asking
from core.errors import WorkbenchError
from core.workbench import Workbench
from pages.ui import error_box, model_picker, press
from pages.ui.words import _, count, ngettext, percent


def show(workbench: Workbench, me: str, found: Batch) -> None:
    """Draws it, folded away until it is asked for."""
    if len(found.spec.models) < 2:
        return
    fold = st.expander(_("A model as judge"), icon=":material/gavel:", key="batch-judge", on_change="rerun")
    if not fold.open:
        return
    with fold:
        st.markdown(
            _(
                "A model reads every two answers to one prompt and says which is better: twice, each answer once "
                "first, because judges prefer a place. Where its two verdicts differ, the pair counts as a tie. A "
                "judge errs, and prefers answers like its own: read some yourself."
            )
        )
        chosen = found.spec.judge.info.id if found.spec.judge is not None else None
        picked = model_picker.show(f"judge-{found.id}", workbench, me, chosen)
        if press.button(_("Judge"), key="batch-judge-start", icon=":material/gavel:"):
            _act(workbench, me, found, picked)
        _said(workbench, me, found)


def _act(workbench: Workbench, me: str, found: Batch, model_id: str | None) -> None:
    try:
        workbench.batches.judge(me, found.id, Asking(model_id=model_id))
    except WorkbenchError as error:
        error_box.show(error)
    else:
        st.rerun()


def _said(workbench: Workbench, me: str, found: Batch) -> None:
    verdicts = list(workbench.batches.verdicts(me, found.id).values())
    complete = [verdict for verdict in verdicts if verdict.complete]
    if not verdicts or found.spec.judge is None:
        return
    agreed = sum(bool(verdict.agreed) for verdict in complete)
    st.markdown(
        _(
            "{judge} has judged {pairs}. Both verdicts on a pair agree in {share} of them; the others count as ties.",
            judge=f"**{error_box.plain(found.spec.judge.label)}**",
            pairs=ngettext("{count} pair", "{count} pairs", len(complete)),
            share=percent(agreed / len(complete)) if complete else "–",
        )
    )
    _unclear(verdicts)
    if complete and press.button(
        _("Add these verdicts to the ranking"),
        key="batch-votes",
        icon=":material/how_to_vote:",
        help=_("As votes of a judge: the ranking can leave them out. None is added twice."),
    ):
        added = workbench.votes.merge(me, workbench.batches.votes(me, found.id))
        st.success(ngettext("{count} vote was added.", "{count} votes were added.", added))


def _unclear(verdicts: Sequence[Verdict]) -> None:
    """What the judge could not say, and why."""
    failed = [
        said.error
        for verdict in verdicts
        for said in (verdict.first, verdict.second)
        if said is not None and said.error
    ]
    if failed:
        st.caption(
            _("{number} times it gave no verdict. Press the button again to ask for those.", number=count(len(failed)))
        )
        error_box.show(WorkbenchError.from_dict(failed[0]))
