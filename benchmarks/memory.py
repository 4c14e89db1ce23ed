"""Resident memory of the server and the model's process together: with the model loaded, and after many short answers.

RSS is summed as it is, so that pages shared by the two count twice; USS (what would be given back) and PSS (shared
pages in equal parts) stand in the details where the system tells. The browser is not counted. Questions are asked on
the Chat page, ten a conversation.
"""

from __future__ import annotations

from typing import Any

from benchmarks.chat_page import ChatPage, chromium
from benchmarks.figure import Figure, Plan
from benchmarks.server import workbench

SHORT = 8
"""Tokens of an answer."""

A_CONVERSATION = 10
KINDS = ("rss", "uss", "pss")


def measure(plan: Plan) -> list[Figure]:
    """With the model loaded, after many answers, and the growth over the second half of them: until then what idle
    conversations keep outside the KV cache (core/llamacpp/parking.py) fills up to its limit, and stays there."""
    with chromium() as page, workbench(plan) as server:
        chat = ChatPage(page, server.address)
        course: dict[int, dict[str, float]] = {}
        for number in range(1, plan.answers + 1):
            if number % A_CONVERSATION == 1:
                chat.open()
                chat.set(max_tokens=SHORT)
            chat.ask(f"Name the number {number}.")
            if number == 1 or number % A_CONVERSATION == 0 or number == plan.answers:
                course[number] = resident(server.pid)
    settled = min(course, key=lambda number: abs(number - plan.answers // 2))
    grown = course[plan.answers]["rss"] / course[settled]["rss"] - 1
    return [
        Figure(
            name="memory.loaded",
            what="resident memory (RSS) of server and model together, model loaded, first answer given",
            value=course[1]["rss"],
            unit="MB",
            target=("≤", 450),
            details=course[1],
        ),
        Figure(
            name="memory.later",
            what=f"the same after {plan.answers} short answers",
            value=course[plan.answers]["rss"],
            unit="MB",
            target=("≤", 450),
            details=course[plan.answers],
        ),
        Figure(
            name="memory.growth",
            what=f"its growth from answer {settled} to answer {plan.answers}",
            value=100 * grown,
            unit="%",
            target=("≤", 5.0),
            details={"rss_mb": {number: each["rss"] for number, each in course.items()}},
        ),
    ]


def resident(pid: int) -> dict[str, float]:
    """Megabytes (10⁶ bytes) of a process and all its children, by kind; what the system does not tell is left out."""
    import psutil

    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    told: list[Any] = [process.memory_full_info() for process in processes]
    return {kind: sum(getattr(each, kind) for each in told) / 1e6 for kind in KINDS if hasattr(told[0], kind)} | {
        "processes": len(processes)
    }
