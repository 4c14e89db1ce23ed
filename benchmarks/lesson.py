"""A class at one model: eight questions at once behind one system prompt, as chats, to `llama-server --parallel`.

What `api` measures with prompts that have nothing in common, here with what a class asks: the same system prompt, the
model's own template, questions of the prompt sets. As many tokens for each answer, greedy, past the end token. Both
servers run as they do by themselves; each run is a fresh process, and warmed up with another system prompt, so that
neither has seen anything of what counts.
"""

from __future__ import annotations

import dataclasses

from benchmarks.api import Body, Served, llama_server, require_all_cores, take_turns, to_server, workbench
from benchmarks.figure import Figure, Plan
from core.arena import prompts

TEACHER = (
    "You are a patient teacher. Answer in plain words and short sentences, give one example from everyday life, and "
    "when you are not sure of something, say so instead of guessing."
)
OTHER = "Reply with one word."
QUESTIONS = ("reasoning.en", "instructions.en")


def measure(plan: Plan) -> list[Figure]:
    """The rate of all together, time to first token, memory: to llama-server's."""
    require_all_cores(plan)
    bodies = _bodies(plan)
    ours: list[Served] = []
    theirs: list[Served] = []
    steps = [lambda: ours.append(workbench(bodies)), lambda: theirs.append(llama_server(plan, bodies))]
    take_turns(plan, steps)
    figures = to_server("lesson", plan.parallel, ours, theirs)
    return [dataclasses.replace(figure, what=f"a class behind one system prompt: {figure.what}") for figure in figures]


def _bodies(plan: Plan) -> list[Body]:
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
