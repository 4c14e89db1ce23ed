"""Every parameter that decides how an answer is drawn, with what its current value does: presets first, most folded.

Drawn in a popover. What the widgets hold is read before any of them is drawn, so that a caption can say what one value
does beside the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import streamlit as st

from core.chat import Asking
from core.messages import Sampling
from core.models import recommended as recommendations
from core.models.recommended import Preset, Recommended
from core.sampling_table import GROUPS, PARAMETERS, rows
from pages.ui.asking import answer_limits, sampling_widgets
from pages.ui.asking.sampling_widgets import Place
from pages.ui.words import _, number


def show(
    key: str,
    begun: Asking,
    *,
    unsupported: frozenset[str] = frozenset(),
    provider: str | None = None,
    recommended: Recommended | None = None,
) -> Asking:
    """`begun` with the sampling, the length, the stop strings, the form and the overflow that are set here.

    unsupported: parameters that the endpoint does not take, by their names in core/models/remote/body.py.
    provider: who answers; None is this machine. A text that cannot be used is said under its field, leaves the last
    usable value in place, and is raised by `check`.
    """
    place = Place(key, unsupported, provider)
    sampling_widgets.seed(place, begun.sampling)
    sampling = sampling_widgets.read(place, begun.sampling)
    _presets(place, sampling, recommended)
    for row in rows("first"):
        sampling_widgets.draw(place, row, sampling)
    max_tokens = answer_limits.length(place, begun.max_tokens)
    with st.container(gap="xsmall"):
        for group, title in GROUPS.items():
            with st.expander(_(title)):
                for row in rows(group):
                    sampling_widgets.draw(place, row, sampling)
        with st.expander(_("End of the answer")):
            stop = answer_limits.stop_strings(place, begun.stop)
            overflow = answer_limits.overflow(place, begun.overflow)
        with st.expander(_("Form of the answer")):
            grammar, json_schema = answer_limits.form(place, begun)
    return msgspec.structs.replace(
        begun,
        sampling=sampling,
        max_tokens=max_tokens,
        stop=stop,
        overflow=overflow,
        grammar=grammar,
        json_schema=json_schema,
    )


def check(key: str, *, unsupported: frozenset[str] = frozenset()) -> None:
    """For the moment before asking: raises what is wrong with a text typed here, so that none is asked without it.

    Raises `SettingInvalid` for the logit bias, `SchemaInvalid` for the JSON schema.
    """
    place = Place(key, unsupported)
    if "logit_bias" not in unsupported and (wrong := sampling_widgets.wrong_biases(place)):
        raise wrong
    if wrong_schema := answer_limits.wrong_schema(place):
        raise wrong_schema


def _presets(place: Place, sampling: Sampling, own: Recommended | None) -> None:
    offered = recommendations.presets(own)
    base = recommendations.nearest(offered, sampling)
    changed = base.differences(sampling)

    def label(name: str) -> str:
        return _("{preset} · changed", preset=_(name)) if changed and name == base.name else _(name)

    id = place.id("preset")
    st.session_state[id] = base.name
    st.pills(
        _("Preset"),
        [preset.name for preset in offered],
        default=base.name,
        format_func=label,
        key=id,
        on_change=_pick,
        args=(place, offered, base),
        help=_("Values that go well together. Seed and logit bias stay as they are."),
    )
    if changed:
        st.caption(_("Changed: {names}.", names=", ".join(_(PARAMETERS[name].label) for name in changed)))
    elif own is not None and base is offered[0]:
        st.caption(_(base.help) + " " + _origins(own))
    else:
        st.caption(_(base.help))


def _pick(place: Place, offered: Sequence[Preset], base: Preset) -> None:
    """A click on the preset that is chosen already lets go of it: it is meant to be had back."""
    name = st.session_state[place.id("preset")] or base.name
    sampling_widgets.fill(place, next(preset.sampling for preset in offered if preset.name == name))


def _origins(own: Recommended) -> str:
    """The model's own values, each with where it stands."""
    places = {
        "gguf": _("In its GGUF file: {values}."),
        "generation_config": _("On its Hub card: {values}."),
    }
    said = []
    for source, place in places.items():
        values = [
            _(PARAMETERS[name].label) + " " + number(value)
            for name, value in own.values.items()
            if own.sources[name] == source
        ]
        if values:
            said.append(place.format(values=", ".join(values)))
    return " ".join(said)
