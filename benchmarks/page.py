"""The decode rate a person sees: the Chat page in Chromium on the same cores, to llama-bench in the same sitting.

The page is asked for `plan.generate` tokens, greedy; the text's growth is read in the page itself (chat_page.py). It
takes turns with llama-bench, which has the machine to itself: server, model and browser are started anew each time, and
warmed up with a short question.
"""

from __future__ import annotations

from statistics import median

from benchmarks import llamacpp
from benchmarks.chat_page import ChatPage, Seen, chromium
from benchmarks.figure import Figure, Plan
from benchmarks.server import workbench

QUESTION = "Write a long story about a river, a bridge and the people of a small town."


def measure(plan: Plan) -> list[Figure]:
    """The ratio, and visible updates a second."""
    seen: list[Seen] = []
    theirs: list[float] = []
    for _ in range(plan.repeat):
        theirs.append(llamacpp.bench(plan, generate=plan.generate))
        with chromium() as page, workbench(plan) as server:
            chat = ChatPage(page, server.address)
            chat.open()
            chat.set(max_tokens=8)
            chat.ask("Say hello.")
            chat.open()
            chat.set(max_tokens=plan.generate)
            seen.append(chat.watch(QUESTION, tokens=plan.generate))
    return [
        Figure(
            name="page.rate",
            what=f"tokens/s as seen in Chromium on the same cores, to llama-bench tg{plan.generate}",
            value=median(each.rate for each in seen) / median(theirs),
            unit="×",
            target=("≥", 0.85),
            details={
                "seen": [each.rate for each in seen],
                "llama-bench": theirs,
                "tokens": [each.tokens for each in seen],
            },
        ),
        Figure.of_runs(
            "page.updates",
            "visible updates a second",
            [each.updates_a_second for each in seen],
            "a second",
            ("≥", 8.0),
        ),
    ]
