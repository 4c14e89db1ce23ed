"""Which types, and what each comes to: size, bits a weight, tensors that get another type, whether it fits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import streamlit as st

from core.errors import WorkbenchError
from core.gguf import quantize, recipes
from core.gguf.header import GGUF
from core.gguf.quantize import Plan
from core.models.local import model_settings, room
from core.models.local.model_settings import ModelSettings
from core.models.local.room import Memory
from core.quantizing import Options, Order
from core.workbench import Workbench
from pages.quantization.inspect.facts import BADGES
from pages.ui import error_box
from pages.ui.words import _, ngettext, number, percent, size

BEGUN = ("Q8_0", "Q4_K_M", "Q2_K")


def choose() -> list[str]:
    """Draws the choice of types."""
    return st.multiselect(
        _("Types"),
        list(recipes.RECIPES),
        default=list(BEGUN),
        key="quantize-types",
        format_func=_label,
        placeholder=_("Choose at least one type"),
        help=_(
            "From the most bits a weight to the fewest; the figure is that of the type itself, without its mixture."
        ),
    )


def _label(name: str) -> str:
    return f"{name} · {number(recipes.RECIPES[name].base.bits_per_weight)} bits"


def show(workbench: Workbench, gguf: GGUF, orders: Sequence[Order]) -> list[Order]:
    """Draws what they come to. Those that can be made."""
    ready: list[Order] = []
    lines: list[dict[str, str]] = []
    plans: list[Plan] = []
    ram = room.machine(limit=workbench.shelf.budget_bytes).ram
    for order in orders:
        try:
            plan = _plan(gguf.path, gguf.path.stat().st_mtime_ns, order.type, order.options)
        except (WorkbenchError, OSError) as error:
            error_box.show(error if isinstance(error, WorkbenchError) else WorkbenchError())
            continue
        plans.append(plan)
        lines.append(_line(ram, gguf, order, plan))
        if not plan.needs_imatrix and not order.target.exists():
            ready.append(order)
    if lines:
        st.table(lines, border="horizontal", hide_index=True)
        _fallbacks(plans)
    return ready


def _line(ram: Memory, gguf: GGUF, order: Order, plan: Plan) -> dict[str, str]:
    verdict = room.verdict(_memory(gguf, plan), ram)
    word, icon, _colour = BADGES[verdict]
    return {
        _("Type"): f"**{plan.type}**",
        _("Size"): size(plan.size_bytes),
        _("Of the source"): percent(plan.size_bytes / gguf.total_size),
        _("Bits a weight"): number(round(plan.bits_per_weight, 2)),
        _("Memory"): icon + " " + _(word),
        _("Other types"): str(len(plan.fallbacks)) if plan.fallbacks else "–",
        _("Note"): _note(order, plan),
    }


def _memory(gguf: GGUF, plan: Plan) -> int:
    """What loading the result takes with the usual settings: as the source, but for the weights."""
    if not gguf.block_count:
        return plan.size_bytes
    source = model_settings.memory_needed(gguf, ModelSettings())
    return source.total - source.weights + plan.size_bytes


def _note(order: Order, plan: Plan) -> str:
    if order.target.exists():
        return _("is there already")
    if plan.needs_imatrix:
        return _("needs an importance matrix")
    return ""


def _fallbacks(plans: Sequence[Plan]) -> None:
    rows = [(plan.type, tensor) for plan in plans for tensor in plan.fallbacks]
    if not rows:
        return
    label = ngettext("{count} tensor gets another type", "{count} tensors get another type", len(rows))
    fold = st.expander(label, icon=":material/swap_horiz:", key="quantize-fallbacks", on_change="rerun")
    if not fold.open:
        return
    with fold:
        st.markdown(
            _(
                "A type stores whole blocks: 256 weights for K-quants and most I-quants, 32 for the simple ones. Rows "
                "of these tensors are no multiple of that, so llama.cpp takes the next type that fits, with more bits: "
                "that is why small models become less small than their type says."
            )
        )
        st.dataframe(
            {
                _("For"): [type for type, _tensor in rows],
                _("Tensor"): [tensor.name for _type, tensor in rows],
                _("Meant"): [tensor.meant for _type, tensor in rows],
                _("Gets"): [tensor.after for _type, tensor in rows],
            },
            hide_index=True,
            key="quantize-fallback-table",
        )


@lru_cache(maxsize=200)
def _plan(path: Path, changed: int, type: str, options: Options) -> Plan:
    return quantize.plan(
        path,
        type,
        pure=options.pure,
        output_type=options.output_type,
        embedding_type=options.embedding_type,
        imatrix=options.imatrix,
    )
