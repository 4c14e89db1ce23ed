"""Variants side by side: on one text, or each its own way, with what each held probable at a place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from core.gguf import beside
from core.gguf.beside import Beside, Reading
from core.gguf.measures import Position
from core.gguf.study import Study
from core.jobs import Job
from core.workbench import Workbench
from pages.quantization.measure import background, token_view
from pages.quantization.measure.token_view import Shown
from pages.ui import error_box, model_picker
from pages.ui.words import N_, _, count, ngettext, number, percent

KIND = "beside"
OWN_WAY = 60
"""Tokens that each writes by itself."""

SAMPLE = "The capital of France is Paris. The capital of Italy is Rome. The capital of Japan is"


def show(workbench: Workbench, me: str, study: Study | None) -> None:
    """Draws the choice, folded, and what came of it."""
    with st.expander(_("Side by side, token by token"), icon=":material/splitscreen_vertical_add:", key="fold-beside"):
        models = _models(workbench, me, study)
        names = st.multiselect(
            _("Variants, the reference first"),
            list(models),
            default=list(models)[:3],
            key="beside-models",
            help=_("Any number of files of one model; the first is what the others are held against."),
        )
        text = st.text_area(_("Text"), SAMPLE, key="beside-text", help=_("At most 512 tokens of it are read."))
        st.toggle(
            _("Each goes on by itself"),
            key="beside-own",
            help=_("Greedily, from the end of the text. Otherwise all read the same text, and are compared all along."),
        )
        st.button(
            _("Put side by side"),
            key="beside-start",
            icon=":material/play_arrow:",
            disabled=len(names) < 2 or not text.strip(),
            on_click=partial(_start, workbench, me, models),
        )
        found = background.show(workbench, me, KIND)
        if isinstance(found, Beside):
            _found(found)


def _start(workbench: Workbench, me: str, models: dict[str, Path]) -> None:
    """With what the widgets hold when it is clicked: what was typed right before was not there when it was drawn."""
    state = st.session_state
    chosen = [(name, models[name]) for name in state["beside-models"] if name in models]
    own_way = OWN_WAY if state["beside-own"] else 0
    background.start(workbench, me, KIND, "", partial(_work, workbench, chosen, str(state["beside-text"]), own_way))


def _work(workbench: Workbench, models: Sequence[tuple[str, Path]], text: str, own_way: int, job: Job) -> Beside:
    note = N_("each variant reads in turn")
    return beside.read(
        models,
        text,
        workbench.turns,
        own_way=own_way,
        notice=lambda done, total: job.step(done, total, note),
    )


def _models(workbench: Workbench, me: str, study: Study | None) -> dict[str, Path]:
    """The open study's models, then all others of this machine, by what they are called."""
    found: dict[str, Path] = {}
    if study is not None:
        found = {row.name: row.path for row in workbench.studies.rows(me, study.id) if row.path is not None}
    infos = workbench.catalog.models()
    labels = model_picker.labels(infos)
    there = set(found.values())
    for info in infos:
        path = workbench.catalog.path(info)
        if path not in there:
            found.setdefault(labels.get(info.id, info.name), path)
    return found


def _found(found: Beside) -> None:
    for one in found.readings[1:]:
        if not one.comparable:
            st.markdown(
                ":material/block: "
                + _(
                    "{name} cuts a text into other tokens than {reference}: no place of theirs is the same, and "
                    "nothing is compared.",
                    name=error_box.plain(one.name),
                    reference=error_box.plain(found.reference.name),
                )
            )
    if found.own_way:
        _own_way(found)
    else:
        _same_text(found)


def _same_text(found: Beside) -> None:
    changed = beside.changes(found)
    st.markdown(
        ngettext(
            "At {count} of {places} places the most probable token changes.",
            "At {count} of {places} places the most probable token changes.",
            len(changed),
            places=count(len(found.reference.positions)),
        )
    )
    for one in found.readings[1:]:
        if one.comparable:
            st.markdown(f"**{error_box.plain(one.name)}**")
            token_view.show(f"beside-{one.name}", _tokens(one, found.reference), label=one.name)
    place = st.number_input(
        _("Place"),
        1,
        len(found.reference.positions),
        (changed[0] if changed else 0) + 1,
        key="beside-place",
        help=_("The number of the token. It begins at the first place where the most probable token changes."),
    )
    _distributions(found, int(place) - 1, found.readings)


def _own_way(found: Beside) -> None:
    for one in found.readings:
        st.markdown(f"**{error_box.plain(one.name)}**")
        st.text(beside.written(one))
    for one in found.readings[1:]:
        if not one.comparable:
            continue
        place = beside.parting(found.reference, one)
        if place is None:
            st.markdown(_("{name} wrote the same as the reference.", name=f"**{error_box.plain(one.name)}**"))
            continue
        st.markdown(
            _(
                "{name} parts from the reference at token {place}. From there on nothing is compared: each goes on "
                "from other words, so that their expectations answer different questions.",
                name=f"**{error_box.plain(one.name)}**",
                place=count(place + 1),
            )
        )
        _distributions(found, place, (found.reference, one))


def _distributions(found: Beside, place: int, readings: Sequence[Reading]) -> None:
    there = [one for one in readings if one.comparable and place < len(one.positions)]
    for column, one in zip(st.columns(max(len(there), 1)), there, strict=False):
        position = one.positions[place]
        with column:
            st.caption(error_box.plain(one.name) + _kl(position))
            st.dataframe(
                {
                    _("Token"): [_visible(likely.text) for likely in position.top],
                    _("Probability"): [likely.p for likely in position.top],
                },
                column_config={
                    _("Probability"): st.column_config.ProgressColumn(format="percent", min_value=0.0, max_value=1.0)
                },
                hide_index=True,
                key=f"beside-top-{found.own_way}-{one.name}-{place}",
            )


def _kl(position: Position) -> str:
    return "" if position.kl is None else " · " + _("KL divergence {kl}", kl=number(float(f"{position.kl:.2g}")))


def _tokens(one: Reading, reference: Reading) -> list[Shown]:
    return [
        Shown(
            text=position.came.text,
            kl=position.kl or 0.0,
            other=position.top[0].id != own.top[0].id,
            note=_(
                "KL divergence {kl}; expected {ours} ({p}), the reference {theirs} ({q})",
                kl=number(float(f"{position.kl or 0.0:.2g}")),
                ours=_visible(position.top[0].text),
                p=percent(position.top[0].p),
                theirs=_visible(own.top[0].text),
                q=percent(own.top[0].p),
            ),
        )
        for position, own in zip(one.positions, reference.positions, strict=False)
    ]


def _visible(text: str) -> str:
    """A token whose spaces and line ends can be seen."""
    return "“" + text.replace("\n", "↵").replace("\t", "⇥").replace(" ", "␣") + "”"
