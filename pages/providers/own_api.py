"""Our own API: the local models for every other program, and what to use when one machine is not enough."""

from __future__ import annotations

import streamlit as st

from core import api
from core.models.catalog import EMBEDDED_ID
from core.models.remote.endpoint import PATH
from core.snippets import ExactRequest
from core.workbench import Workbench
from pages.ui import own_address, programs
from pages.ui.words import _


def show(workbench: Workbench) -> None:
    """Draws the address, whether a key is needed, and two programs to copy."""
    base_url = own_address.base_url()
    st.markdown(_("Every program on this machine can use the local models at this base URL, as it would use OpenAI:"))
    st.code(base_url, None)
    st.caption(_key(workbench))
    question = _("Why is the sky blue?").replace("\u202f", " ")  # which a program would spell out
    said = {"role": "user", "content": question}
    body = {"model": EMBEDDED_ID, "messages": [said], "max_tokens": 64, "stream": True}
    programs.show(ExactRequest(url=base_url + PATH, body=body, local=True))


def _key(workbench: Workbench) -> str:
    if workbench.settings.api_key:
        return ":material/key: " + _("It wants the key that WORKBENCH_API_KEY was set to.")
    if api.Access(st.get_option("server.address"), None).closed:
        return ":material/lock: " + _(
            "It is closed: other machines reach this server, and no key is asked for. Set WORKBENCH_API_KEY to open it."
        )
    return ":material/key_off: " + _(
        "On this machine no key is needed: put anything in OPENAI_API_KEY. For other machines it is closed until "
        "WORKBENCH_API_KEY is set."
    )


def outgrowing() -> None:
    """Draws what to use when one machine is not enough."""
    st.markdown(
        _(
            "One process a model, its answers batched, is good for a class or a small team. For more, connect one of "
            "these here as any other provider:"
        )
    )
    ways = {
        "llama-server --parallel": _("the same engine on a stronger machine, GGUF files, one command."),
        "vLLM": _("many people at once on GPUs; models in safetensors."),
        "Ray Serve LLM": _("several machines, vLLM on each, replicas that come and go."),
        "LiteLLM": _("one address before many providers, with keys and budgets for each team."),
    }
    st.markdown("\n".join(f"- **{name}**: {what}" for name, what in ways.items()))
    st.caption(_("docs/DEPLOY.md has a compose file for the workbench with llama-server, and says how to choose."))
