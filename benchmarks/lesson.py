"""A class at one model: eight questions at once behind one system prompt, as chats, to `llama-server --parallel`.

What `api` measures with prompts that have nothing in common, here with what a class asks: the same system prompt, the
model's own template, questions of the prompt sets. As many tokens for each answer, greedy, past the end token. Both
servers run as they do by themselves; each run is a fresh process, and warmed up with another system prompt, so that
neither has seen anything of what counts.
"""

from __future__ import annotations

import dataclasses

from benchmarks import llamacpp
from benchmarks.api import Served, listener, served, take_turns, to_server, workbench
from benchmarks.figure import Figure, Plan, Unmeasurable
from core.arena import prompts
from core.models.local.model_settings import DEFAULT_CONTEXT, physical_cores

TEACHER = (
    "You are a patient teacher. Answer in plain words and short sentences, give one example from everyday life, and "
    "when you are not sure of something, say so instead of guessing."
)
OTHER = "Reply with one word."
QUESTIONS = ("reasoning.en", "instructions.en")


def measure(plan: Plan) -> list[Figure]:
    """The rate of all together, time to first token, memory: to llama-server's."""
    if plan.threads != physical_cores():
        raise Unmeasurable("the API computes with all physical cores: leave --threads out")
    ours: list[Served] = []
    theirs: list[Served] = []

    def api() -> None:
        with workbench() as (port, pid):
            ours.append(served(port, pid, _bodies(plan)))

    def server() -> None:
        with llamacpp.server(plan, context=DEFAULT_CONTEXT) as port:
            theirs.append(served(port, listener(port), _bodies(plan)))

    take_turns(plan, [api, server])
    figures = to_server("lesson", plan.parallel, ours, theirs)
    return [dataclasses.replace(figure, what=f"a class behind one system prompt: {figure.what}") for figure in figures]


def _bodies(plan: Plan) -> list[dict[str, object]]:
    """One more than are asked at once: the first is for warming up."""
    questions = [prompt.text for id in QUESTIONS for prompt in prompts.built_in(id).prompts][: plan.parallel]
    asked = [(OTHER, "What is the capital of Japan?"), *((TEACHER, question) for question in questions)]
    return [
        {
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": question}],
            "max_tokens": plan.generate,
        }
        for system, question in asked
    ]
