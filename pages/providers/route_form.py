"""A new route: a rule, the models that it chooses from, a name; and what a rule will do, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from core import routing
from core.errors import WorkbenchError
from core.models import tasks
from core.models.base import ModelInfo
from core.models.routes import ByTask, Cheapest, Fastest, LocalFirst, RemoteFirst, Row, Rule, models_of
from core.workbench import Workbench
from pages.ui import error_box, press, privacy
from pages.ui.words import N_, _

RULES: dict[type[Rule], str] = {
    LocalFirst: N_("Local first"),
    RemoteFirst: N_("Remote first"),
    ByTask: N_("By task"),
    Cheapest: N_("Cheapest"),
    Fastest: N_("Fastest"),
}


def sentence(rule: Rule, models: Mapping[str, ModelInfo]) -> str:
    """What a rule will do, as Markdown. `models`: those within reach, by id."""
    name = partial(_name, models)
    match rule:
        case LocalFirst(local, remote):
            return _(
                "Asks {local}; where the conversation is too long for it, or it fails before its first word, {remote}.",
                local=name(local),
                remote=name(remote),
            )
        case RemoteFirst(remote, local):
            return _(
                "Asks {remote}; where that cannot be reached, refuses or may not be asked, {local}.",
                remote=name(remote),
                local=name(local),
            )
        case ByTask(rows):
            return "; ".join(_("{task}: {model}", task=_task(row.task), model=name(row.model_id)) for row in rows) + "."
        case Cheapest(ids):
            return _("Asks the one whose answer should cost least: {models}.", models=", ".join(map(name, ids)))
        case Fastest(ids):
            return _("Asks the one that was quickest lately: {models}.", models=", ".join(map(name, ids)))


def _task(task: str) -> str:
    if task == tasks.GENERAL:
        return _("all other questions")
    return _(tasks.NAMES[task]) if task in tasks.NAMES else error_box.plain(task)


def _name(models: Mapping[str, ModelInfo], model_id: str) -> str:
    known = models.get(model_id)
    return error_box.plain(known.name if known else model_id.partition("#")[2] or model_id)


def show(workbench: Workbench, owner: str, models: Mapping[str, ModelInfo]) -> None:
    """Draws the form. `models`: those within reach, by id."""
    turn = st.session_state.setdefault("route-turn", 0)
    kind = st.segmented_control(
        _("New route"), list(RULES), format_func=lambda kind: _(RULES[kind]), key=f"route-kind-{turn}"
    )
    if kind is None:
        return
    rule = _rule(kind, models, f"route-{turn}")
    if rule is not None:
        st.caption(sentence(rule, models))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(_("Name of the route"), _(RULES[kind]), key=f"route-name-{kind.__name__}-{turn}")
        added = press.button(_("Add"), key="route-add", icon=":material/add:", disabled=rule is None)
    if added and rule is not None:
        try:
            workbench.routes.add(owner, name, rule)
        except WorkbenchError as error:
            error_box.show(error)
        else:
            st.session_state["route-turn"] = turn + 1
            st.rerun()


def _rule(kind: type[Rule], models: Mapping[str, ModelInfo], key: str) -> Rule | None:
    """The rule as it is picked; None while a model is missing."""
    near = [id for id, info in models.items() if privacy.stays(info)] or list(models)
    far = [id for id, info in models.items() if not privacy.stays(info)] or near[1:]
    if kind in (Cheapest, Fastest):
        return _of_several(kind, models, f"{key}-{kind.__name__}")
    if kind is ByTask:
        return _by_task(near, far, models, key)
    local = _one(_("Local model"), near, models, f"{key}-local")
    remote = _one(_("Remote model"), far, models, f"{key}-remote")
    return LocalFirst(local, remote) if kind is LocalFirst else RemoteFirst(remote, local)


def _of_several(kind: type[Rule], models: Mapping[str, ModelInfo], key: str) -> Rule | None:
    ready = next((rule for _name, rule in routing.offered(list(models.values())) if isinstance(rule, kind)), None)
    begun = models_of(ready) if ready else ()
    ids = tuple(
        st.multiselect(_("Models"), list(models), begun, format_func=lambda id: _label(models[id]), key=f"{key}-models")
    )
    if len(ids) < 2:
        return None
    return Cheapest(ids) if kind is Cheapest else Fastest(ids)


def _one(label: str, ids: Sequence[str], models: Mapping[str, ModelInfo], key: str) -> str:
    return st.selectbox(label, ids, format_func=lambda id: _label(models[id]), key=key)


def _label(info: ModelInfo) -> str:
    return " · ".join([info.name, _("this machine") if info.local else info.provider])


def _by_task(near: Sequence[str], far: Sequence[str], models: Mapping[str, ModelInfo], key: str) -> Rule | None:
    """A model for each task that is picked, one for a person's own pattern, and one for the rest."""
    offered = [task for task in tasks.NAMES if task != tasks.GENERAL]
    able = list(dict.fromkeys([*far, *near]))
    picked = st.pills(
        _("Tasks"),
        offered,
        selection_mode="multi",
        default=offered[:1],
        format_func=lambda task: _(tasks.NAMES[task]),
        key=f"{key}-tasks",
    )
    rows = [Row(task, _one(_task(task).capitalize(), able, models, f"{key}-task-{task}")) for task in picked]
    with st.expander(_("A task of your own"), key=f"{key}-own"):
        own = st.text_input(_("Its name"), key=f"{key}-own-name").strip()
        pattern = st.text_input(
            _("Regular expression"), key=f"{key}-own-pattern", help=_("A question that holds it is of this task.")
        )
        model_id = _one(_("Model"), able, models, f"{key}-own-model")
    if own and pattern:
        rows.append(Row(own, model_id, pattern))
    rest = _one(_("All other questions"), list(dict.fromkeys([*near, *far])), models, f"{key}-rest")
    return ByTask((*rows, Row(tasks.GENERAL, rest))) if rows else None
