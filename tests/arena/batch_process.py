"""A process of its own for a test to kill: it begins a batch, says so when its second answer has begun, and waits."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from tests.answering import until
from tests.arena.batching import ANA, Bench, question


def main() -> None:
    bench = Bench(Path(sys.argv[1]))
    model = bench.here("slow")

    def reply(request: object) -> str:
        text = f"{question(model.asked[-1])} answered"
        if text.startswith("two"):
            model.gate.clear()
        return text

    model.reply = reply
    made = bench.made(repeats=2)
    bench.batches.start(ANA, made.id)
    until(lambda: bench.cell(made, 0, 1, 0).answer)
    print(json.dumps({"batch": made.id}), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
