"""How each pane is asked: its model, and behind buttons all that decides its answer, and ways to one more like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.arena.comparing import LEAST, MOST, Comparison
from core.arena.pairing import same_model
from core.chat import Asking
from core.errors import WorkbenchError
from core.models.base import ChatModel, ModelInfo
from core.models.local.model_settings import ModelSettings
from core.models.routes import is_route
from core.workbench import Workbench
from pages.compare.side import opened
from pages.compare.side.grid import grid
from pages.compare.side.opened import Setup
from pages.ui import error_box, icons, model_picker, press
from pages.ui.asking import settings
from pages.ui.words import _, number

WIDTH = 440
"""Of the settings, pixels."""

QUANTIZATION = "quantization:"
"""Before the id of the model that is the same in another one."""


def show(workbench: Workbench, owner: str, comparison: Comparison | None) -> list[Setup]:
    """Draws the panes' settings; what is set is kept at once. Returns the panes as they are set now."""
    setups = opened.setups(workbench, owner, comparison)
    return [_pane(workbench, owner, comparison, setups, at, cell) for at, cell in enumerate(grid(len(setups)))]


def add_button(workbench: Workbench, owner: str, comparison: Comparison | None, setups: Sequence[Setup]) -> None:
    """One more pane: a model that is not there yet, where there is one."""
    there = {setup.asking.model_id for setup in setups}
    pressed = press.button(
        _("Add a model"),
        key="add-pane",
        icon=":material/add:",
        disabled=len(setups) >= MOST,
        help=_("Up to {count} answers stand side by side.", count=MOST),
    )
    if pressed:
        new = next((one.id for one in workbench.models(owner) if one.local and not _taken(one, there)), None)
        asking = setups[-1].asking
        if new is not None:
            asking = msgspec.structs.replace(asking, model_id=new, settings=ModelSettings())
        _add(workbench, owner, comparison, asking)


def check(workbench: Workbench, owner: str, setups: Sequence[Setup]) -> None:
    """For the moment before asking: raises what is wrong with a text that was typed in a pane's settings."""
    for setup in setups:
        model = _model(workbench, owner, setup.asking)
        if model is not None:
            settings.check(setup.key, model)


def _pane(
    workbench: Workbench,
    owner: str,
    comparison: Comparison | None,
    setups: Sequence[Setup],
    at: int,
    cell: DeltaGenerator,
) -> Setup:
    setup = setups[at]
    with cell.container(border=True, key=f"setup-{setup.letter}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{setup.letter}**", width="content")
            model_id = model_picker.show(f"model-{setup.key}", workbench, owner, setup.asking.model_id)
        asking = msgspec.structs.replace(setup.asking, model_id=model_id)
        if model_id != setup.asking.model_id:
            asking = msgspec.structs.replace(asking, settings=ModelSettings())
        model = _model(workbench, owner, asking)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            popover = st.popover(
                _summary(asking),
                icon=":material/tune:",
                key=f"settings-{setup.key}",
                help=_("System prompt, sampling, and how the model is loaded"),
                on_change="rerun",
            )
            picked = _menu(workbench, owner, setup, model, len(setups))
        # Six forms take as long to draw as all the rest. One with a text that is wrong stays, so that it is not lost.
        if popover.open or _is_wrong(setup, model):
            # Without a width, each tab would be as wide as its longest caption.
            with popover, st.container(width=WIDTH):
                asking = settings.show(setup.key, workbench, model, asking)
    now = replace(setup, asking=asking)
    if asking != setup.asking:
        _keep(workbench, owner, comparison, now)
    if picked is not None:
        _do(workbench, owner, comparison, now, picked)
    return now


def _is_wrong(setup: Setup, model: ChatModel | None) -> bool:
    """Whether a text typed in the pane's settings says nothing usable."""
    try:
        if model is not None:
            settings.check(setup.key, model)
    except WorkbenchError:
        return True
    return False


def _keep(workbench: Workbench, owner: str, comparison: Comparison | None, setup: Setup) -> None:
    if comparison is None or setup.number is None:
        opened.remember(setup, setup.asking)
    else:
        workbench.comparing.change(owner, comparison.id, setup.number, setup.asking)


def _summary(asking: Asking) -> str:
    """What is told of the settings without opening them."""
    temperature = _("temperature {value}", value=number(asking.sampling.temperature))
    return temperature + " · " + _("system prompt") if asking.system_prompt.strip() else temperature


def _menu(workbench: Workbench, owner: str, setup: Setup, model: ChatModel | None, panes: int) -> str | None:
    actions = {}
    if panes < MOST:
        warmer = _other_temperature(setup.asking)
        actions["temperature"] = ":material/device_thermostat: " + _(
            "Same model at temperature {value}", value=number(warmer)
        )
        for other in _quantizations(workbench, owner, model):
            actions[QUANTIZATION + other.id] = ":material/compress: " + _(
                "Same model as {quantization}", quantization=error_box.plain(other.quantization or other.name)
            )
    if panes > LEAST:
        actions["remove"] = ":material/close: " + _("Take it away")
    if not actions:
        return None
    name = _("More for {pane}", pane=setup.letter)
    picked: str | None = press.menu(
        icons.named(name),
        list(actions),
        key=f"pane-menu-{setup.key}",
        icon=":material/more_horiz:",
        help=name,
        type="tertiary",
        format_func=actions.__getitem__,
    )
    return picked


def _do(workbench: Workbench, owner: str, comparison: Comparison | None, setup: Setup, picked: str) -> None:
    if picked == "remove":
        _remove(workbench, owner, comparison, setup)
    elif picked == "temperature":
        asking = opened.at_temperature(setup.asking, _other_temperature(setup.asking))
        _add(workbench, owner, comparison, asking)
    else:
        other = picked.removeprefix(QUANTIZATION)
        _add(workbench, owner, comparison, msgspec.structs.replace(setup.asking, model_id=other))


def _add(workbench: Workbench, owner: str, comparison: Comparison | None, asking: Asking) -> None:
    try:
        if comparison is None:
            opened.add(asking)
        else:
            workbench.comparing.add(owner, comparison.id, asking)
    except WorkbenchError as error:
        error_box.show(error)
    else:
        st.rerun()


def _remove(workbench: Workbench, owner: str, comparison: Comparison | None, setup: Setup) -> None:
    try:
        if comparison is None or setup.number is None:
            opened.remove(setup)
        else:
            workbench.comparing.remove(owner, comparison.id, setup.number)
    except WorkbenchError as error:
        error_box.show(error)
    else:
        st.rerun()


def _other_temperature(asking: Asking) -> float:
    return opened.WARM if asking.sampling.temperature < (opened.COOL + opened.WARM) / 2 else opened.COOL


def _quantizations(workbench: Workbench, owner: str, model: ChatModel | None) -> list[ModelInfo]:
    """The other quantizations of this model that are here."""
    if model is None or not model.info.local:
        return []
    others = [one for one in workbench.models(owner) if one.local and one.id != model.info.id]
    return [one for one in others if one.quantization != model.info.quantization and same_model(one, model.info)]


def _taken(model: ModelInfo, there: set[str | None]) -> bool:
    return is_route(model.id) or model.id in there


def _model(workbench: Workbench, owner: str, asking: Asking) -> ChatModel | None:
    """None where there is none by this id; the picker has said so, and the pane will."""
    try:
        return workbench.chat_model(owner, asking.model_id, asking.settings)
    except WorkbenchError:
        return None
